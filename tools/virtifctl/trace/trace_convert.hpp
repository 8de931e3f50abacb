// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl trace convert`: a recording for other tools.
#pragma once

#include <string>

#include "services/trace/trace_dat_reader.hpp"

namespace vif::tools {

// As `path` ends: .json is Chrome's trace format, which Perfetto shows too; .ctf a new folder in the Common Trace
// Format. EINVAL: it ends otherwise; else the host's errno.
Status convert(trace::TraceDatReader& trace, const std::string& path);

}  // namespace vif::tools
