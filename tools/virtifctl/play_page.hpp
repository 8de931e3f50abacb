// SPDX-License-Identifier: BSD-2-Clause
// The page of a replay's report: the verdict first, then when frames went and came, what first differed, how punctual
// it was, what was not sent and why, and who talked to whom. Bounded, whatever was replayed.
#pragma once

#include <string>

#include "tools/virtifctl/play_json.hpp"

namespace vif::tools {

std::string play_page(const Played& played);

}  // namespace vif::tools
