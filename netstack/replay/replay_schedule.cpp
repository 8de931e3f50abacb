// SPDX-License-Identifier: BSD-2-Clause
// Doubles hold 104 days in whole nanoseconds, and more with an error below one part in 10^15: that is no drift.
#include "netstack/replay/replay_schedule.hpp"

#include <algorithm>

namespace vif::net {
namespace {

constexpr double kNsPerS = 1e9;

Time after(double ns) {
  return ns < static_cast<double>(ReplaySchedule::kLatest.count()) ? Time(static_cast<std::int64_t>(ns + 0.5))
                                                                   : ReplaySchedule::kLatest;
}

std::uint64_t recorded_ns(Time played, double times_as_fast) {
  return static_cast<std::uint64_t>(after(static_cast<double>(played.count()) * times_as_fast).count());
}

}  // namespace

ReplaySchedule::ReplaySchedule(const ReplaySpeed& speed, std::optional<Time> gap_max)
    : speed_(speed), gap_max_ns_(gap_max ? recorded_ns(*gap_max, speed.value) : ~std::uint64_t{0}) {}

void ReplaySchedule::next(std::optional<std::int64_t> time_ns) {
  if (!time_ns) return;
  const std::int64_t last_ns = last_time_ns_.value_or(*time_ns);
  last_time_ns_ = std::max(*time_ns, last_ns);
  // Files may state any times: the difference of two fits 64 bits, but not signed ones.
  const std::uint64_t gap_ns = static_cast<std::uint64_t>(*last_time_ns_) - static_cast<std::uint64_t>(last_ns);
  const auto latest_ns = static_cast<std::uint64_t>(kLatest.count());
  position_ns_ = std::min(position_ns_ + std::min({gap_ns, gap_max_ns_, latest_ns}), latest_ns);
}

Time ReplaySchedule::due() const {
  switch (speed_.kind) {
    case ReplaySpeed::Kind::recorded:
      if (speed_.value == 1) return Time(static_cast<std::int64_t>(position_ns_));
      return after(static_cast<double>(position_ns_) / speed_.value);
    case ReplaySpeed::Kind::frames_per_second:
      return after(static_cast<double>(frames_) * (kNsPerS / speed_.value));
    case ReplaySpeed::Kind::bits_per_second:
      return after(static_cast<double>(bytes_) * (8 * kNsPerS / speed_.value));
    case ReplaySpeed::Kind::top:
      break;
  }
  return Time(0);
}

void ReplaySchedule::sent(std::uint64_t frames, std::uint64_t bytes) {
  frames_ += frames;
  bytes_ += bytes;
}

}  // namespace vif::net
