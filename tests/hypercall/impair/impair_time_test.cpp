// SPDX-License-Identifier: BSD-2-Clause
// When frames come out of an impaired link: exactly, on the simulated host.
#include <gtest/gtest.h>

#include "tests/hypercall/impair/impaired.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

class ImpairTime : public Impaired {};

TEST_F(ImpairTime, delays_what_arrives_to_the_nanosecond) {
  impaired(",delay=10ms");
  pass(3ms);
  arrive(2);
  pass(10ms - 1ns);
  EXPECT_TRUE(collected.packets.empty());
  pass(1ns);
  ASSERT_EQ(collected.packets.size(), 2U);
  EXPECT_EQ(stamps(3ms), (std::vector<Time>{10ms, 10ms})) << "stamped with when they came out";
}

TEST_F(ImpairTime, delays_what_is_sent_to_the_nanosecond) {
  net::Ifnet& ifp = impaired(",delay=10ms");
  pass(3ms);
  transmit(ifp, 2);
  EXPECT_EQ(ifp.counters.read().opackets, 2U) << "taken";
  pass(10ms - 1ns);
  EXPECT_TRUE(wire().sent.empty());
  pass(1ns);
  EXPECT_EQ(wire().sent.size(), 2U);
}

TEST_F(ImpairTime, measures_a_delay_from_now_also_when_the_loop_has_slept) {
  net::Ifnet& ifp = impaired(",delay=10ms");
  host.clock.set(5s);  // and nobody has polled
  (void)ifp.transmit(domain.pool().copy_in(frame(60)));
  pass(10ms - 1ns);
  EXPECT_TRUE(wire().sent.empty());
  pass(1ns);
  EXPECT_EQ(wire().sent.size(), 1U);
}

TEST_F(ImpairTime, adds_up_when_nested) {
  running("impair:[impair:[sim:w],delay=2ms],delay=1ms");
  arrive(1);
  pass(3ms - 1ns);
  EXPECT_TRUE(collected.packets.empty());
  pass(1ns);
  EXPECT_EQ(collected.packets.size(), 1U);
}

// 1250 bytes at 10 Mbit/s are a millisecond.
TEST_F(ImpairTime, sends_at_exactly_its_rate) {
  impaired(",rate=10mbit");
  arrive(100, 1250);
  pass(1s);
  std::vector<Time> due;
  for (int i = 1; i <= 100; ++i) due.push_back(i * 1ms);
  EXPECT_EQ(stamps(), due);
}

TEST_F(ImpairTime, loses_no_part_of_a_nanosecond_at_odd_rates) {
  impaired(",rate=3mbit,limit=1000");
  arrive(900, 1001);
  pass(10s);
  const std::vector<Time> due = stamps();
  ASSERT_EQ(due.size(), 900U);
  for (std::uint64_t i = 0; i < due.size(); ++i) {
    ASSERT_EQ(due[i].count(), (i + 1) * 1001 * 8 * 1'000'000'000 / 3'000'000) << "frame " << i;
  }
}

TEST_F(ImpairTime, owes_nothing_for_time_when_idle) {
  impaired(",rate=10mbit");
  arrive(1, 1250);
  pass(1s);
  arrive(2, 1250);
  pass(1s);
  EXPECT_EQ(stamps(), (std::vector<Time>{1ms, 1s + 1ms, 1s + 2ms}));
}

TEST_F(ImpairTime, puts_the_delay_behind_the_rate) {
  impaired(",rate=10mbit,delay=5ms");
  arrive(2, 1250);
  pass(1s);
  EXPECT_EQ(stamps(), (std::vector<Time>{6ms, 7ms}));
}

TEST_F(ImpairTime, has_a_rate_in_each_direction) {
  net::Ifnet& ifp = impaired(",rate=10mbit");
  arrive(3, 1250);
  transmit(ifp, 3, 1250);
  pass(3ms - 1ns);
  EXPECT_EQ(collected.packets.size(), 2U);
  EXPECT_EQ(wire().sent.size(), 2U);
  pass(1ns);
  EXPECT_EQ(collected.packets.size(), 3U);
  EXPECT_EQ(wire().sent.size(), 3U);
}

TEST_F(ImpairTime, counts_a_super_frame_as_the_bytes_it_has) {
  wire().caps.offload = net::OffloadSet::all();
  impaired(",rate=8mbit");
  wire().arrive(frame(50'000), {.gso_type = net::Offload::kGsoTcp4, .hdr_len = 54, .gso_size = 1448},
                host.clock.wall_ns());
  pass(50ms - 1ns);
  EXPECT_TRUE(collected.packets.empty());
  pass(1ns);
  ASSERT_EQ(collected.packets.size(), 1U);
  EXPECT_EQ(collected.packets[0].header.offload.gso_size, 1448);
}

TEST_F(ImpairTime, keeps_jitter_within_its_bounds_and_frames_in_the_order_they_are_due) {
  impaired(",delay=10ms,jitter=2ms,seed=3,limit=5000");
  arrive(2000);
  pass(1s);
  const std::vector<Time> due = stamps();
  ASSERT_EQ(due.size(), 2000U);
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end()));
  EXPECT_GE(due.front(), 8ms);
  EXPECT_LT(due.front(), 8100us);
  EXPECT_LE(due.back(), 12ms);
  EXPECT_GT(due.back(), 11900us);
}

TEST_F(ImpairTime, never_turns_jitter_into_a_negative_delay) {
  impaired(",delay=1ms,jitter=5ms,seed=3,limit=5000");
  pass(1s);
  arrive(2000);
  const std::size_t at_once = collected.packets.size();
  pass(1s);
  const std::vector<Time> due = stamps(1s);
  ASSERT_EQ(due.size(), 2000U);
  EXPECT_EQ(due.front(), 0ms);
  EXPECT_LE(due.back(), 6ms);
  EXPECT_NEAR(static_cast<double>(at_once), 800, 120) << "four of ten parts of the spread lie below 0";
}

TEST_F(ImpairTime, lets_a_reordered_frame_overtake_those_delayed) {
  impaired(",delay=10ms,reorder=25%,seed=5");
  arrive(400);
  const std::size_t first = collected.packets.size();
  EXPECT_NEAR(static_cast<double>(first), 100, 40);
  for (const Time due : stamps()) EXPECT_EQ(due, 0ms);
  pass(10ms);
  EXPECT_EQ(collected.packets.size(), 400U);
}

// One timer a link: what it sleeps until is the frame due next, of either direction.
TEST_F(ImpairTime, sleeps_until_the_next_frame_is_due) {
  net::Ifnet& ifp = impaired(",delay=10ms");
  EXPECT_EQ(domain.next_deadline(), std::nullopt);
  transmit(ifp, 1);
  pass(4ms);
  arrive(1);
  EXPECT_EQ(domain.next_deadline(), 10ms);
  pass(6ms);
  EXPECT_EQ(domain.next_deadline(), 14ms);
  pass(4ms);
  EXPECT_EQ(domain.next_deadline(), std::nullopt);
}

}  // namespace
