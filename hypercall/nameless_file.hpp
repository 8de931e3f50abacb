// SPDX-License-Identifier: BSD-2-Clause
// A file without a name: nothing is left of it however the process ends. Any thread.
#pragma once

#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

// In `folder`, to read and write. Errors: the host's.
Result<UniqueFd> open_nameless_file(const std::string& folder);

}  // namespace vif::host
