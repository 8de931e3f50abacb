// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl replay --to` tells people of a replay that is over.
#pragma once

#include "tools/virtifctl/play_json.hpp"

namespace vif::tools {

// With `coloured`, what differs stands out on a terminal.
void print_played(const Played& played, bool coloured);

}  // namespace vif::tools
