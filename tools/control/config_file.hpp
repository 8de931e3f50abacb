// SPDX-License-Identifier: BSD-2-Clause
// A node's configuration as a JSON file, which an operator writes, virtifctl reads and virtifd keeps. Any thread.
#pragma once

#include <string>

#include "tools/control/rpc.hpp"

namespace vif::tools {

// The document in the file; "-": in standard input. EINVAL: no JSON object, with the place. Otherwise the host's.
Result<Json> read_config(const std::string& path);
// Replaces the file as a whole: a crash leaves the old one or the new one. Errors: the host's; the old one is there.
Status write_config(const std::string& path, const Json& config);

}  // namespace vif::tools
