// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/expected_sides.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;

constexpr ReplaySide kClients = ReplaySide::clients, kServers = ReplaySide::servers;

// Frames 0, 2, 4 are the clients', 1, 3, 5 the servers'.
std::vector<ExpectedFrame> talk() {
  std::vector<ExpectedFrame> frames;
  for (std::uint32_t i = 0; i < 6; ++i) {
    frames.push_back({.bytes = numbered(i), .side = i % 2 == 0 ? kClients : kServers, .number = i + 1});
  }
  return frames;
}

TEST(ExpectedSides, expects_at_each_link_what_the_other_side_sent) {
  ExpectedSides sides({}, talk(), {"a", "b"});
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_FALSE(sides.satisfied());
    EXPECT_EQ(sides.received(i % 2 == 0 ? kServers : kClients, numbered(i), 1s), nullptr);
  }
  EXPECT_TRUE(sides.satisfied());
  const ExpectVerdict& verdict = sides.finish();
  EXPECT_TRUE(verdict.pass());
  EXPECT_EQ(verdict.matched, 6U);
  ASSERT_EQ(sides.verdicts().size(), 2U);
  EXPECT_EQ(sides.verdicts()[0].expected, 3U);
}

TEST(ExpectedSides, what_comes_back_where_it_went_out_is_not_expected) {
  ExpectedSides sides({}, talk(), {"a", "b"});
  EXPECT_NE(sides.received(kClients, numbered(0), 1s), nullptr);
}

TEST(ExpectedSides, tells_failures_as_they_were_noticed_and_where) {
  ExpectedSides sides({}, talk(), {"a", "b"});
  (void)sides.received(kServers, numbered(0), 1s);
  (void)sides.received(kServers, numbered(4), 3s);  // 2 is missing
  (void)sides.received(kClients, numbered(77), 2s);
  const ExpectVerdict& verdict = sides.finish();
  EXPECT_FALSE(verdict.pass());
  EXPECT_EQ(verdict.matched, 2U);
  EXPECT_EQ(verdict.count(ExpectFault::missing), 3U);
  ASSERT_EQ(verdict.failures.size(), 4U);
  EXPECT_EQ(verdict.failures[0].text.rfind("a: frame 2", 0), 0U) << verdict.failures[0].text;
  EXPECT_EQ(verdict.failures[1].text.rfind("b: frame 3 did not come before frame 5", 0), 0U)
      << verdict.failures[1].text;
  EXPECT_EQ(verdict.failures[3].expected, 6U);
}

TEST(ExpectedSides, at_one_link_all_is_expected) {
  ExpectedSides sides({}, talk(), {"a"});
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(sides.received(kClients, numbered(i), 1s), nullptr);
  EXPECT_TRUE(sides.finish().pass());
}

}  // namespace
