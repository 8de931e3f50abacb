// SPDX-License-Identifier: BSD-2-Clause
// Pictures of a replay, as SVG in a page of html_page.hpp. Pure functions, any thread.
#pragma once

#include <string>

#include "netstack/replay/replay_log.hpp"
#include "tools/virtifctl/play_json.hpp"

namespace vif::tools {

// What went upwards, what came downwards, over time; where something was not as expected, a mark below.
std::string time_line(const net::ReplayLog& log);

// How many are in each bucket of microseconds. `name` is what is measured: the picture's id, and for screen readers.
std::string histogram(const std::string& name, const TimeBuckets& buckets);

// "12,345".
std::string counted(std::uint64_t number);

}  // namespace vif::tools
