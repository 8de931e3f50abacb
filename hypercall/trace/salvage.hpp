// SPDX-License-Identifier: BSD-2-Clause
// The last events of a process that died, from the files its rings were in (ring_files.hpp). Any thread; blocks on the
// files.
#pragma once

#include <string>

#include "hypercall/trace/trace_dat.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

// Of the last process that recorded into this folder and is dead, as a trace.dat. The folder is left as it is. ENOENT:
// nobody died there, or its rings were not in use. EINVAL: what is there is no recording. Errors: the host's.
VIF_API Result<ExportedTrace> salvage(const std::string& folder, const std::string& path);

}  // namespace vif::host
