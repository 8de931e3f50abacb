// SPDX-License-Identifier: BSD-2-Clause
// Names that somebody else chose, of files and in URLs, as a terminal may see them. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace vif::tools {

// Control characters, and bytes that are no UTF-8, as "\x1b"; the rest as it is.
std::string fwu_printable(std::string_view text);

}  // namespace vif::tools
