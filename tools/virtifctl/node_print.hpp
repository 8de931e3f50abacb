// SPDX-License-Identifier: BSD-2-Clause
// What virtifd answers and tells, as text for people, in the manner of ip(8).
#pragma once

#include <string_view>

#include "tools/control/rpc.hpp"

namespace vif::tools {

// The result of OBJECT.show.
void print_node(std::string_view object, const Json& result);

// The same of links and addresses, a line each, in the manner of ip -br.
void print_brief(std::string_view object, const Json& result);

// An "event" or "gap" of `monitor`, a line.
void print_notification(std::string_view method, const Json& params);

}  // namespace vif::tools
