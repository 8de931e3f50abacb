// SPDX-License-Identifier: BSD-2-Clause
// How long a replay will take: from its schedule, where its captures are short enough to be read beforehand; else from
// how much of them has been read. Pure functions, any thread.
#pragma once

#include <optional>

#include "netstack/replay/frame_selector.hpp"
#include "netstack/replay/replayer.hpp"

namespace vif::net {

// One pass through all captures.
struct ReplayExtent {
  std::uint64_t frames = 0;  // that `select` wants
  Time length{};             // when the last one is due; 0 at top speed
};

// Reads at most `frames_max` frames. None: there are more, or they cannot be read to the end. Frames that the replay
// will refuse, split or shorten count as if it did not.
VIF_API std::optional<ReplayExtent> replay_extent(ReplaySource& source, const ReplayPlan& plan,
                                                  const BpfProgram& select, std::uint64_t frames_max);

struct ReplayProgress {
  Time since_start{};
  std::uint64_t frames = 0;               // given to the wire or refused, in all passes
  std::uint64_t passes = 0;               // begun
  std::optional<double> share_read = {};  // of the captures, in this pass, 0 to 1
};

// How much longer it will take, about; none: nobody knows.
VIF_API std::optional<Time> replay_time_left(const ReplayPlan& plan, const std::optional<ReplayExtent>& extent,
                                             const ReplayProgress& progress);

}  // namespace vif::net
