// SPDX-License-Identifier: BSD-2-Clause
// When each frame of a replay is due, counted from its start: always from the start, never from the frame before, so
// that nothing adds up over hours. A plain value, any thread.
//
// Recorded times: a frame without a time, or with one before its predecessor's, is due with its predecessor; what comes
// before the first time of a pass is due when the pass begins, and a pass begins when the last frame of the one before
// was due. So every pass is the same.
#pragma once

#include <cstdint>
#include <optional>

#include "netstack/replay/replay_plan.hpp"

namespace vif::net {

class VIF_API ReplaySchedule {
 public:
  // The latest there is, some 146 years.
  static constexpr Time kLatest = Time(std::int64_t{1} << 62);

  ReplaySchedule(const ReplaySpeed& speed, std::optional<Time> gap_max);

  // Moves on to the next frame of the captures, recorded at `time_ns`, whether it will be sent or not.
  void next(std::optional<std::int64_t> time_ns);
  // When the frame moved to last is due.
  Time due() const;
  // It is sent: as so many frames on the wire, of so many bytes together.
  void sent(std::uint64_t frames, std::uint64_t bytes);

  void next_pass() { last_time_ns_.reset(); }

 private:
  ReplaySpeed speed_;
  std::uint64_t gap_max_ns_;                  // on the captures' time line
  std::uint64_t position_ns_ = 0;             // on it, without what gaps were cut
  std::optional<std::int64_t> last_time_ns_;  // of this pass
  std::uint64_t frames_ = 0, bytes_ = 0;      // sent
};

}  // namespace vif::net
