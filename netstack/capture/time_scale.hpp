// SPDX-License-Identifier: BSD-2-Clause
// Turns the timestamps of a pcapng interface into nanoseconds since 1970. Total: every unit and offset a file can state
// gives a value, times beyond int64 nanoseconds (years 1677 to 2262) become the nearest one. Plain value, any thread.
#pragma once

#include <cstdint>

namespace vif::net {

class TimeScale {
 public:
  // Microseconds since 1970: what pcapng means by no options.
  TimeScale() = default;

  // `resolution`: 0..127 = units of 10^-n s; 128..255 = units of 2^-(n-128) s. `offset_s` is added to every timestamp.
  // Source: draft-ietf-opsawg-pcapng, Interface Description Block, if_tsresol and if_tsoffset.
  TimeScale(std::uint8_t resolution, std::int64_t offset_s);

  // Rounds down; saturates.
  std::int64_t to_ns(std::uint64_t units) const;

 private:
  // ns = units / divisor_ * multiplier_ >> shift_, plus the offset. At most one of the three is not 1 (0 for the
  // shift), but for 2^-n, which multiplies by 10^9 before it shifts.
  std::uint64_t divisor_ = 1;
  std::uint64_t multiplier_ = 1000;
  std::uint8_t shift_ = 0;
  std::int64_t offset_s_ = 0;
};

}  // namespace vif::net
