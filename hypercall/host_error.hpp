// SPDX-License-Identifier: BSD-2-Clause
// The one place where errno becomes an Error.
#pragma once

#include <string>

#include "netstack/base/result.hpp"

namespace vif::host {

// "`what`: `the system's words`", with errno as it is now. Say in `what` which file or device it was.
Error host_error(const std::string& what);

}  // namespace vif::host
