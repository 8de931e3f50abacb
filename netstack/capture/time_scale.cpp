// SPDX-License-Identifier: BSD-2-Clause
// 128 bits hold every product here: 64 bits of units times 10^9 is below 2^94, 64 bits of seconds times 10^9 as well.
#include "netstack/capture/time_scale.hpp"

#include <limits>

namespace vif::net {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

constexpr std::uint8_t kBinaryFlag = 0x80;
constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr int kNsDigits = 9;
constexpr int kDigitsMax = 19;  // 10^19 is the largest power of ten in 64 bits

std::uint64_t power_of_ten(int digits) {
  std::uint64_t power = 1;
  for (; digits > 0; digits--) power *= 10;
  return power;
}

}  // namespace

TimeScale::TimeScale(std::uint8_t resolution, std::int64_t offset_s) : offset_s_(offset_s) {
  const int digits = resolution & ~kBinaryFlag;
  if (resolution & kBinaryFlag) {
    multiplier_ = kNsPerS;
    shift_ = static_cast<std::uint8_t>(digits);
  } else if (digits <= kNsDigits) {
    multiplier_ = power_of_ten(kNsDigits - digits);
  } else if (digits - kNsDigits <= kDigitsMax) {
    multiplier_ = 1;
    divisor_ = power_of_ten(digits - kNsDigits);
  } else {
    multiplier_ = 0;  // 2^64 such units are less than a nanosecond
  }
}

std::int64_t TimeScale::to_ns(std::uint64_t units) const {
  using Limits = std::numeric_limits<std::int64_t>;
  if (divisor_ != 1) units /= divisor_;
  const Wide ns = static_cast<Wide>(static_cast<UnsignedWide>(units) * multiplier_ >> shift_) +
                  static_cast<Wide>(offset_s_) * static_cast<Wide>(kNsPerS);
  if (ns > Limits::max()) return Limits::max();
  if (ns < Limits::min()) return Limits::min();
  return static_cast<std::int64_t>(ns);
}

}  // namespace vif::net
