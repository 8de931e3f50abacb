// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/expectation.hpp"

#include "tests/netstack/replay/packets.hpp"
#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;

std::vector<ExpectedFrame> expected(const std::vector<Frame>& frames) {
  std::vector<ExpectedFrame> all;
  for (const Frame& frame : frames)
    all.push_back({frame, recorded_ns(Time(static_cast<std::int64_t>(all.size()) * 1'000'000))});
  return all;
}

// What becomes of frames that arrive 1 ms apart.
ExpectVerdict verdict(const ExpectSettings& settings, const std::vector<Frame>& wanted,
                      const std::vector<Frame>& arrived) {
  Expectation expectation(settings, expected(wanted));
  Time at{};
  for (const Frame& frame : arrived) (void)expectation.received(frame, at += 1ms);
  const ExpectVerdict& seen = expectation.finish();
  std::size_t faults = 0;
  for (const std::size_t count : seen.faults) faults += count;
  EXPECT_EQ(seen.received, arrived.size());
  EXPECT_EQ(seen.expected, wanted.size());
  EXPECT_EQ(faults, seen.failures.size());
  EXPECT_EQ(seen.pass(), faults == 0);
  EXPECT_EQ(seen.matched + seen.let_pass + seen.count(ExpectFault::different) + seen.count(ExpectFault::unexpected),
            arrived.size());
  EXPECT_EQ(seen.matched + seen.count(ExpectFault::different) + seen.count(ExpectFault::missing), wanted.size());
  return seen;
}

const Frame kA = numbered(1), kB = numbered(2), kC = numbered(3), kD = numbered(4);

TEST(Expectation, passes_what_comes_as_expected) {
  for (const ExpectOrder order : {ExpectOrder::ordered, ExpectOrder::unordered, ExpectOrder::per_flow}) {
    EXPECT_TRUE(verdict({.order = order}, {kA, kB, kA}, {kA, kB, kA}).pass());
    EXPECT_TRUE(verdict({.order = order}, {}, {}).pass());
  }
}

TEST(Expectation, in_order_names_the_first_difference) {
  const ExpectVerdict seen = verdict({}, {udp_packet({}, false, 64), kB}, {udp_packet({}, false, 63), kB});
  ASSERT_EQ(seen.failures.size(), 1U);
  EXPECT_EQ(seen.failures[0].fault, ExpectFault::different);
  EXPECT_EQ(seen.failures[0].text, "frame 1: ip.ttl: expected 64, received 63");
  EXPECT_EQ(seen.failures[0].expected, 1U);
  EXPECT_EQ(seen.failures[0].received, 1U);
  EXPECT_FALSE(seen.failures[0].fields.empty());
}

TEST(Expectation, in_order_a_missing_frame_does_not_spoil_those_after_it) {
  const ExpectVerdict seen = verdict({}, {kA, kB, kC, kD}, {kA, kC, kD});
  ASSERT_EQ(seen.failures.size(), 1U);
  EXPECT_EQ(seen.failures[0].fault, ExpectFault::missing);
  EXPECT_TRUE(seen.failures[0].text.starts_with("frame 2 did not come before frame 3")) << seen.failures[0].text;
  EXPECT_EQ(seen.matched, 3U);
}

TEST(Expectation, in_order_what_comes_too_late_in_the_order_is_a_fault) {
  const ExpectVerdict seen = verdict({}, {kA, kB, kC}, {kB, kA, kC});
  EXPECT_FALSE(seen.pass());
  EXPECT_EQ(seen.failures[0].fault, ExpectFault::missing);
  EXPECT_TRUE(verdict({.order = ExpectOrder::unordered}, {kA, kB, kC}, {kB, kA, kC}).pass());
}

TEST(Expectation, in_order_a_stray_frame_does_not_spoil_those_after_it) {
  const auto flow = [](std::size_t bytes) { return udp_packet(counting(bytes), false, 64, 7); };
  const std::vector<Frame> wanted = {flow(1), flow(2), flow(3), flow(4)};
  const std::vector<std::vector<Frame>> arrivals = {{arp_request(), flow(1), flow(2), flow(3), flow(4)},
                                                    {flow(1), flow(2), flow(1), flow(2), flow(3), flow(4)}};
  for (const std::vector<Frame>& arrived : arrivals) {
    const ExpectVerdict seen = verdict({}, wanted, arrived);
    EXPECT_EQ(seen.matched, 4U);
    EXPECT_EQ(seen.count(ExpectFault::unexpected), arrived.size() - 4);
    EXPECT_EQ(seen.failures.size(), arrived.size() - 4);
  }
  // One that looks like the next costs that one only.
  const ExpectVerdict seen = verdict({}, wanted, {flow(9), flow(1), flow(2), flow(3), flow(4)});
  EXPECT_EQ(seen.matched, 3U);
  EXPECT_EQ(seen.count(ExpectFault::different), 1U);
}

TEST(Expectation, in_order_many_that_are_missing_cost_themselves_only) {
  std::vector<Frame> wanted;
  for (std::size_t bytes = 0; bytes < 200; ++bytes) wanted.push_back(udp_packet(counting(bytes), false, 64, 7));
  const ExpectVerdict seen = [&] {
    Expectation expectation({}, expected(wanted));
    for (std::size_t i = 100; i < 200; ++i) (void)expectation.received(wanted[i], 1ms);
    return expectation.finish();
  }();
  EXPECT_EQ(seen.matched, 100U);
  EXPECT_EQ(seen.count(ExpectFault::missing), 100U);
  EXPECT_TRUE(seen.failures[0].text.starts_with("frame 1 did not come before frame 101")) << seen.failures[0].text;
}

TEST(Expectation, in_order_one_too_many_of_a_kind_does_not_stand_for_one_far_away) {
  std::vector<Frame> wanted = {kA};
  for (std::uint32_t i = 0; i < 80; ++i) wanted.push_back(numbered(100 + i));
  wanted.push_back(kA);
  std::vector<Frame> arrived = wanted;
  arrived.insert(arrived.begin(), kA);
  const ExpectVerdict seen = verdict({}, wanted, arrived);
  EXPECT_EQ(seen.matched, wanted.size());
  ASSERT_EQ(seen.failures.size(), 1U);
  EXPECT_TRUE(seen.failures[0].text.ends_with("; it is frame 1 again")) << seen.failures[0].text;
}

TEST(Expectation, beside_others_one_that_is_missing_costs_itself_only) {
  const ExpectSettings settings{.others_allowed = true};
  const ExpectVerdict lost = verdict(settings, {kA, kB, kC, kD}, {kA, kC, kD});
  EXPECT_EQ(lost.matched, 3U);
  EXPECT_EQ(lost.let_pass, 0U);
  ASSERT_EQ(lost.failures.size(), 1U);
  EXPECT_TRUE(lost.failures[0].text.starts_with("frame 2 did not come")) << lost.failures[0].text;
  const ExpectVerdict swapped = verdict(settings, {kA, kB, kC, kD}, {kA, kC, kB, kD});
  EXPECT_EQ(swapped.matched, 3U);
  EXPECT_EQ(swapped.let_pass, 1U);
  EXPECT_EQ(swapped.count(ExpectFault::missing), 1U);
  EXPECT_TRUE(verdict(settings, {kA, kB, kC}, {kB, kC, kA, kB, kC}).pass()) << "they are there, in their order";
}

// What says where a packet ends may be ignored, and flows are told apart all the same.
TEST(Expectation, flows_are_those_of_the_frames_not_of_what_is_compared) {
  const auto flow = [](std::uint16_t port, std::size_t bytes) { return udp_packet(counting(bytes), false, 64, port); };
  const ExpectSettings settings{.mask = *FrameMask::parse("ip.len,ip.hdr_len,udp.length,data"),
                                .order = ExpectOrder::per_flow};
  EXPECT_TRUE(verdict(settings, {flow(1, 10), flow(2, 10)}, {flow(2, 20), flow(1, 3)}).pass());
}

TEST(Expectation, unordered_counts_how_often) {
  const ExpectVerdict once = verdict({.order = ExpectOrder::unordered}, {kA, kA, kB}, {kB, kA});
  EXPECT_EQ(once.count(ExpectFault::missing), 1U);
  EXPECT_TRUE(once.failures[0].text.starts_with("frame 2 did not come: ")) << once.failures[0].text;
  const ExpectVerdict twice = verdict({.order = ExpectOrder::unordered}, {kA, kB}, {kB, kA, kA});
  EXPECT_EQ(twice.count(ExpectFault::unexpected), 1U);
  EXPECT_EQ(twice.failures[0].received, 3U);
}

TEST(Expectation, unordered_compares_a_stranger_with_the_closest) {
  const ExpectVerdict seen = verdict({.order = ExpectOrder::unordered}, {arp_request(), udp_packet(counting(4))},
                                     {udp_packet(counting(4), false, 63)});
  ASSERT_GE(seen.failures.size(), 1U);
  EXPECT_EQ(seen.failures[0].fault, ExpectFault::unexpected);
  EXPECT_EQ(seen.failures[0].expected, 2U);
  EXPECT_NE(seen.failures[0].text.find("closest is frame 2: ip.ttl: expected 64, received 63"), std::string::npos)
      << seen.failures[0].text;
}

TEST(Expectation, flows_keep_their_order_and_do_not_wait_for_each_other) {
  const auto flow = [](std::uint16_t port, std::size_t bytes) { return udp_packet(counting(bytes), false, 64, port); };
  const std::vector<Frame> wanted = {flow(1, 1), flow(1, 2), flow(2, 1), flow(2, 2)};
  EXPECT_TRUE(
      verdict({.order = ExpectOrder::per_flow}, wanted, {flow(2, 1), flow(1, 1), flow(2, 2), flow(1, 2)}).pass());
  const ExpectVerdict seen =
      verdict({.order = ExpectOrder::per_flow}, wanted, {flow(2, 2), flow(1, 1), flow(2, 1), flow(1, 2)});
  EXPECT_FALSE(seen.pass());
  EXPECT_EQ(seen.failures[0].expected, 3U);
}

TEST(Expectation, nothing_else_may_come_unless_it_is_allowed) {
  EXPECT_EQ(verdict({}, {kA}, {kA, kB}).count(ExpectFault::unexpected), 1U);
  for (const ExpectOrder order : {ExpectOrder::ordered, ExpectOrder::unordered, ExpectOrder::per_flow}) {
    const ExpectVerdict seen = verdict({.order = order, .others_allowed = true}, {kA, kB}, {kC, kA, kD, kB, kB});
    EXPECT_TRUE(seen.pass());
    EXPECT_EQ(seen.let_pass, 3U);
    EXPECT_FALSE(verdict({.order = order, .others_allowed = true}, {kA, kB}, {kA, kC}).pass());
  }
}

TEST(Expectation, holds_frames_to_their_time) {
  const auto at = [](Time when, double times_as_fast, Time window) {
    Expectation expectation({.window = window}, {{kA, recorded_ns(100ms)}});
    expectation.set_clock({recorded_ns(0ms), times_as_fast});
    (void)expectation.received(kA, when);
    return expectation.finish();
  };
  EXPECT_TRUE(at(100ms, 1, 0ms).pass());
  EXPECT_TRUE(at(104ms, 1, 5ms).pass());
  EXPECT_TRUE(at(50ms, 2, 1ms).pass());
  const ExpectVerdict late = at(107ms, 1, 5ms), early = at(94ms, 1, 5ms);
  EXPECT_EQ(late.failures[0].text, "frame 1 came 7.000 ms later than recorded: expected at most 5.000 ms");
  EXPECT_EQ(early.count(ExpectFault::early), 1U);
}

TEST(Expectation, is_satisfied_when_the_last_has_come) {
  Expectation expectation({}, expected({kA, kB}));
  EXPECT_EQ(expectation.received(kA, 0ms), nullptr);
  EXPECT_FALSE(expectation.satisfied());
  EXPECT_NE(expectation.received(kC, 0ms), nullptr);
  EXPECT_TRUE(expectation.satisfied());
  EXPECT_FALSE(expectation.finish().pass());
}

TEST_F(ReplayTest, loads_what_to_expect_and_refuses_what_could_not_be_seen) {
  capture("want.pcapng", {{0s, kA}, {1s, kB}});
  const auto loaded = Expectation::load(files, "want.pcapng");
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ((*loaded)[1].bytes, kB);
  EXPECT_EQ((*loaded)[1].time_ns, recorded_ns(1s));
  capture("cut.pcap", {{0s, kA}, {0s, kB, 99}});
  EXPECT_NE(Expectation::load(files, "cut.pcap").error().text.find("cut.pcap: frame 2"), std::string::npos);
  capture("radio.pcap", {{0s, kA, 0, 127}});
  EXPECT_FALSE(Expectation::load(files, "radio.pcap"));
  EXPECT_EQ(Expectation::load(files, "none.pcap").error().number(), ENOENT);
}

}  // namespace
