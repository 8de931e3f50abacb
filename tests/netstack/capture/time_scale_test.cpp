// SPDX-License-Identifier: BSD-2-Clause
// Every unit and offset a pcapng interface can state gives nanoseconds, and the ends of int64 hold.
// Known values were worked out by hand.
#include "netstack/capture/time_scale.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vif::net {
namespace {

constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kEarliest = std::numeric_limits<std::int64_t>::min();
constexpr std::uint64_t kUnitsMax = std::numeric_limits<std::uint64_t>::max();

TEST(TimeScale, counts_microseconds_unless_told) { EXPECT_EQ(TimeScale().to_ns(1'500'000), 1'500'000'000); }

TEST(TimeScale, counts_powers_of_ten) {
  EXPECT_EQ(TimeScale(0, 0).to_ns(7), 7'000'000'000);
  EXPECT_EQ(TimeScale(3, 0).to_ns(7), 7'000'000);
  EXPECT_EQ(TimeScale(9, 0).to_ns(7), 7);
  EXPECT_EQ(TimeScale(12, 0).to_ns(7'999), 7);
  EXPECT_EQ(TimeScale(28, 0).to_ns(10'000'000'000'000'000'000u), 1);
  EXPECT_EQ(TimeScale(28, 0).to_ns(9'999'999'999'999'999'999u), 0);
}

TEST(TimeScale, counts_powers_of_two) {
  EXPECT_EQ(TimeScale(0x80, 0).to_ns(3), 3'000'000'000);
  EXPECT_EQ(TimeScale(0x80 | 1, 0).to_ns(3), 1'500'000'000);
  EXPECT_EQ(TimeScale(0x80 | 32, 0).to_ns(0x5'8000'0000), 5'500'000'000);
  EXPECT_EQ(TimeScale(0x80 | 64, 0).to_ns(kUnitsMax), 999'999'999);
}

TEST(TimeScale, adds_the_offset_in_seconds) {
  EXPECT_EQ(TimeScale(6, 1'000).to_ns(1), 1'000'000'001'000);
  EXPECT_EQ(TimeScale(9, -1).to_ns(1), -999'999'999);
}

TEST(TimeScale, takes_every_resolution_with_every_extreme) {
  for (int resolution = 0; resolution < 256; resolution++) {
    for (const std::int64_t offset_s : {std::int64_t{0}, kLatest, kEarliest}) {
      const TimeScale scale(static_cast<std::uint8_t>(resolution), offset_s);
      const std::int64_t ns = scale.to_ns(offset_s < 0 ? 0 : kUnitsMax);
      const bool is_tiny = resolution >= 29 && resolution < 128;
      const std::int64_t least = offset_s != 0 ? offset_s : 0;
      const std::int64_t most = offset_s != 0 ? offset_s : is_tiny ? 0 : kLatest;
      EXPECT_GE(ns, least) << resolution;
      EXPECT_LE(ns, most) << resolution;
    }
  }
}

TEST(TimeScale, stops_at_the_ends_of_int64) {
  EXPECT_EQ(TimeScale(9, 0).to_ns(kUnitsMax), kLatest);
  EXPECT_EQ(TimeScale(9, 0).to_ns(static_cast<std::uint64_t>(kLatest)), kLatest);
  EXPECT_EQ(TimeScale(0, 0).to_ns(9'223'372'037), kLatest);
  EXPECT_EQ(TimeScale(9, -9'223'372'037).to_ns(0), kEarliest);
  EXPECT_EQ(TimeScale(9, -9'223'372'036).to_ns(0), -9'223'372'036'000'000'000);
}

}  // namespace
}  // namespace vif::net
