// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replayer.hpp"

#include "netstack/base/splitmix.hpp"
#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;
using Kind = ReplaySpeed::Kind;
using Sent = ReplayWire::Sent;
using WireAnswer = ReplayWire::Answer;

TEST_F(ReplayTest, keeps_the_recorded_times_to_the_nanosecond) {
  host.run_until(5s);
  capture_times("a.pcap", {0ns, 1ns, 7s, 7s, 8s + 3ns});
  const ReplayTotals& totals = played(replay({"a.pcap"}));
  EXPECT_EQ(wire.times(), (std::vector<Time>{5s, 5s + 1ns, 12s, 12s, 13s + 3ns}));
  EXPECT_EQ(totals.sent, 5U);
  EXPECT_EQ(totals.wire_bytes, 300U);
  EXPECT_EQ(totals.first_sent, 5s);
  EXPECT_EQ(totals.last_sent, 13s + 3ns);
  EXPECT_EQ(totals.late_max, 0ns);
}

TEST_F(ReplayTest, plays_two_hours_twice_and_both_are_the_same) {
  std::vector<Recorded> frames;
  Time at{};
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    at += Time(static_cast<std::int64_t>(splitmix64(3, i) % 720'000'000));  // 360 ms in the mean
    frames.push_back({at, numbered(i, 60 + splitmix64(5, i) % 1400)});
  }
  ASSERT_GT(at, 110min);
  capture("long.pcapng", frames);
  played(replay({"long.pcapng"}));
  const std::vector<RecordingWire::Given> first = std::exchange(wire.given, {});
  ASSERT_EQ(first.size(), frames.size());
  const Time second_start = domain.now();
  played(replay({"long.pcapng"}));
  ASSERT_EQ(wire.given.size(), frames.size());
  const Time origin = *frames[0].at;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(first[i].bytes, frames[i].bytes);
    ASSERT_EQ(first[i].at, *frames[i].at - origin);
    ASSERT_EQ(wire.given[i].bytes, first[i].bytes);
    ASSERT_EQ(wire.given[i].at - second_start, first[i].at);
  }
}

TEST_F(ReplayTest, multiplies_and_cuts_gaps) {
  capture_times("a.pcap", {0ns, 2s, 3s, 1000s});
  played(replay({"a.pcap"}, {.speed = {Kind::recorded, 2}, .gap_max = 5s}));
  EXPECT_EQ(wire.times(), (std::vector<Time>{0s, 1s, 1500ms, 6500ms}));
}

TEST_F(ReplayTest, passes_follow_each_other_alike) {
  capture_times("a.pcap", {0ns, 30ms, 100ms});
  const ReplayTotals& totals = played(replay({"a.pcap"}, {.passes = 3}));
  EXPECT_EQ(wire.times(), (std::vector<Time>{0ms, 30ms, 100ms, 100ms, 130ms, 200ms, 200ms, 230ms, 300ms}));
  EXPECT_EQ(totals.passes, 3U);
  EXPECT_EQ(wire.numbers(), (std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

TEST_F(ReplayTest, a_limit_that_a_pass_reaches_is_the_end) {
  capture_times("a.pcap", {0ns, 10ms});
  EXPECT_EQ(played(replay({"a.pcap"}, {.passes = 2, .frames_max = 2})).passes, 1U);
}

TEST_F(ReplayTest, counts_what_it_took_without_a_time_or_before_its_turn) {
  capture("a.pcapng", {{20ns, numbered(0)}, {5ns, numbered(1)}, {{}, numbered(2)}, {{}, numbered(3)}});
  EXPECT_EQ(played(replay({"a.pcapng"})).untimed, 2U);
  EXPECT_EQ(replayer->totals().backward, 1U);
  EXPECT_EQ(played(replay({"a.pcapng"}, {.frames_max = 3})).untimed, 1U) << "not what was only read";
}

TEST_F(ReplayTest, goes_on_for_ever_until_its_limits) {
  capture_times("a.pcap", {0ns, 10ms});
  played(replay({"a.pcap"}, {.passes = ReplayPlan::kForever, .frames_max = 7}));
  EXPECT_EQ(wire.given.size(), 7U);
  wire.given.clear();
  const Time begun = domain.now();
  played(replay({"a.pcap"}, {.passes = ReplayPlan::kForever, .duration = 25ms}));
  ASSERT_EQ(wire.given.size(), 5U);
  EXPECT_EQ(wire.given.back().at - begun, 20ms);
  played(replay({"a.pcap"}, {.frames_max = 0}));
  EXPECT_EQ(wire.given.size(), 5U);
}

TEST_F(ReplayTest, a_pass_that_gives_the_wire_nothing_is_the_last) {
  capture("a.pcapng", {{0s, counting(5)}, {1s, counting(5)}});
  const ReplayTotals& totals = played(replay({"a.pcapng"}, {.passes = ReplayPlan::kForever, .frames_max = 5}));
  EXPECT_EQ(totals.passes, 1U);
  EXPECT_EQ(totals.count(ReplayRefusal::runt), 2U);
  auto opened = MergedCaptures::open(files, {"a.pcapng"});
  Replayer running(domain, **opened, wire, {.passes = ReplayPlan::kForever}, {});
  constexpr BpfInsn kNone[] = {{0x06, 0, 0, 0}};
  running.select(*BpfProgram::make(kNone));
  running.start();
  EXPECT_TRUE(played(running).none_selected());
}

TEST_F(ReplayTest, its_duration_ends_it_also_while_the_wire_is_full) {
  capture_times("a.pcap", {0ms, 1ms, 2ms, 100ms, 101ms});
  Replayer& running = replay({"a.pcap"}, {.duration = 100ms});
  wire.answers = {{1, WireAnswer::ok}, {0, WireAnswer::would_block}};
  const ReplayTotals& totals = played(running, 1s);
  EXPECT_TRUE(running.overdue());
  EXPECT_EQ(totals.sent, 1U);
  EXPECT_EQ(totals.failed, 1U);  // the one that waited for the wire: the others were not even tried
  wire.answers = {{1, WireAnswer::ok}, {0, WireAnswer::would_block}};
  Replayer& top = replay({"a.pcap"}, {.speed = {Kind::top, 1}, .passes = ReplayPlan::kForever, .duration = 100ms});
  EXPECT_EQ(played(top, 1s).records, 1U);
  EXPECT_FALSE(top.overdue());
}

TEST_F(ReplayTest, what_is_due_when_the_duration_ends_may_be_a_little_late) {
  capture_times("a.pcap", {0ms, 100ms, 101ms});
  Replayer& running = replay({"a.pcap"}, {.duration = 100ms});
  wire.answers = {{1, WireAnswer::ok}, {0, WireAnswer::would_block}};
  host.at(150ms, [&] { running.writable(); });
  EXPECT_EQ(played(running).sent, 2U);
  EXPECT_FALSE(running.overdue());
}

TEST_F(ReplayTest, measures_how_wrong_the_gaps_were) {
  capture_times("a.pcap", {0ms, 10ms, 20ms, 30ms, 40ms});
  Replayer& running = replay({"a.pcap"});
  wire.answers = {{1, WireAnswer::ok}, {0, WireAnswer::would_block}};  // the second one waits
  host.at(13ms, [&] { running.writable(); });
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(totals.late_max, 3ms);
  EXPECT_EQ(totals.gap_error_max, 3ms);  // before it and behind it
  EXPECT_EQ(totals.gap_error_us[0], 2U);
  EXPECT_EQ(totals.gap_error_us[12], 2U);
  EXPECT_EQ(totals.late_us[12], 1U);
}

TEST_F(ReplayTest, an_empty_capture_is_over_at_once_also_for_ever) {
  capture("empty.pcapng", {});
  const ReplayTotals& totals = played(replay({"empty.pcapng"}, {.passes = ReplayPlan::kForever}));
  EXPECT_EQ(totals.records, 0U);
}

TEST_F(ReplayTest, holds_the_rate_asked_for) {
  std::vector<Time> times(1001, 0ns);
  capture_times("a.pcap", times);
  played(replay({"a.pcap"}, {.speed = {Kind::frames_per_second, 3000}}));
  EXPECT_EQ(wire.given.back().at, 333'333'333ns);
  EXPECT_EQ(wire.given[999].at, 333ms);
  const Time begun = domain.now();
  played(replay({"a.pcap"}, {.speed = {Kind::bits_per_second, 480'000}}));  // a frame of 60 bytes a millisecond
  EXPECT_EQ(wire.given.back().at - begun, 1s);
}

TEST_F(ReplayTest, top_speed_sends_bursts_and_lets_others_run) {
  capture_times("a.pcap", std::vector<Time>(5000, 1s));
  bool others_ran_in_between = false;
  Replayer& running = replay({"a.pcap"}, {.speed = {Kind::top, 1}});
  Callout other(domain.callouts(), [&] { others_ran_in_between = running.state() == Replayer::State::running; });
  domain.poll(0ns, 64);
  other.schedule(0ns);
  played(running);
  EXPECT_TRUE(others_ran_in_between);
  EXPECT_EQ(wire.given.size(), 5000U);
  EXPECT_LT(wire.calls, 5000U / 20);
  EXPECT_EQ(domain.now(), Time(std::chrono::hours(24 * 365)));
  EXPECT_EQ(running.totals().last_sent, 0ns);
}

TEST_F(ReplayTest, a_full_wire_delays_and_the_schedule_stays) {
  capture_times("a.pcap", {0ms, 1ms, 2ms, 50ms});
  Replayer& running = replay({"a.pcap"});
  wire.answers = {{1, WireAnswer::ok}, {0, WireAnswer::would_block}};
  host.run_until(20ms);
  EXPECT_EQ(wire.given.size(), 1U);
  running.writable();
  running.writable();  // harmless
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(wire.times(), (std::vector<Time>{0ms, 20ms, 20ms, 50ms}));
  EXPECT_EQ(totals.times_blocked, 1U);
  EXPECT_EQ(totals.late_max, 19ms);
}

TEST_F(ReplayTest, counts_what_the_wire_does_not_take) {
  capture_times("a.pcap", std::vector<Time>(10, 0s));
  Replayer& running = replay({"a.pcap"});
  wire.answers = {{2, WireAnswer::refused}, {1, WireAnswer::would_block}, {3, WireAnswer::down}};
  domain.poll(0s, 64);
  running.writable();
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(totals.records, 10U);
  EXPECT_EQ(totals.sent, 6U);
  EXPECT_EQ(totals.failed, 4U);
  EXPECT_EQ(wire.numbers(), (std::vector<std::uint32_t>{0, 1, 3, 4, 5, 6}));
}

TEST_F(ReplayTest, names_every_frame_it_refuses) {
  capture("a.pcapng", {{0s, numbered(0)},
                       {0s, counting(13)},
                       {0s, numbered(1), 61},
                       {0s, numbered(2, 1600)},
                       {0s, numbered(3), 0, 113},
                       {1s, numbered(4)}});
  const ReplayTotals& totals = played(replay({"a.pcapng"}, {}, {.mtu_bytes = 1500}));
  EXPECT_EQ(totals.sent, 2U);
  for (const ReplayRefusal why :
       {ReplayRefusal::runt, ReplayRefusal::cut_short, ReplayRefusal::too_long, ReplayRefusal::wrong_link_type}) {
    EXPECT_EQ(totals.count(why), 1U) << name(why);
  }
  EXPECT_EQ(wire.times(), (std::vector<Time>{0s, 1s}));
}

TEST_F(ReplayTest, refused_frames_take_no_place_in_a_rate) {
  capture("a.pcapng", {{0s, numbered(0)}, {0s, counting(5)}, {0s, numbered(1)}});
  played(replay({"a.pcapng"}, {.speed = {Kind::frames_per_second, 10}}));
  EXPECT_EQ(wire.times(), (std::vector<Time>{0ms, 100ms}));
}

TEST_F(ReplayTest, rewrites_before_it_fits_and_skips_what_is_not_selected) {
  capture("a.pcap", {{0s, numbered(0, 1514)}, {0s, arp_request()}, {0s, numbered(1, 60), 61}});
  // Accepts EtherType 0x88b5 only: ldh [12]; jeq #0x88b5, 0, 1; ret #-1; ret #0.
  constexpr BpfInsn kOurs[] = {{0x28, 0, 0, 12}, {0x15, 0, 1, 0x88b5}, {0x06, 0, 0, ~0U}, {0x06, 0, 0, 0}};
  auto opened = MergedCaptures::open(files, {"a.pcap"});
  Replayer running(domain, **opened, wire, {}, {.mtu_bytes = 1500});
  running.select(*BpfProgram::make(kOurs));
  running.rewrite(*FrameRewriter::parse("vlan=push:7"));
  running.start();
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(totals.skipped, 1U);
  EXPECT_EQ(totals.count(ReplayRefusal::cut_short), 1U);
  ASSERT_EQ(wire.given.size(), 1U);
  EXPECT_EQ(wire.given[0].bytes, tagged(numbered(0, 1514), 7));
}

TEST_F(ReplayTest, what_is_no_ethernet_frame_begins_no_flow) {
  const Frame udp = hex("4500 001c 0001 0000 40 11 0000");
  const Frame asks = ether(kOurMac, 0x0800, udp + hex("0a000001 0a000002 0009 0007 0008 0000"));
  const Frame answers = ether(kOurMac, 0x0800, udp + hex("0a000002 0a000001 0007 0009 0008 0000"));
  capture("a.pcapng", {{0s, answers, 0, 113}, {1s, asks}, {2s, answers}});
  RecordingWire servers{domain};
  auto opened = MergedCaptures::open(files, {"a.pcapng"});
  Replayer running(domain, **opened, wire, {}, {});
  running.split(*FrameSplitter::parse("first"), servers);
  running.start();
  played(running);
  EXPECT_EQ(wire.times(), std::vector<Time>{1s});
  EXPECT_EQ(servers.times(), std::vector<Time>{2s});
}

TEST_F(ReplayTest, damage_is_reported_after_what_came_before_and_ends_the_passes) {
  capture_times("a.pcap", {0s, 1s, 2s});
  files.file("a.pcap").bytes.resize(files.file("a.pcap").bytes.size() - 1);
  Replayer& running = replay({"a.pcap"}, {.passes = 5});
  EXPECT_EQ(played(running).sent, 2U);
  ASSERT_TRUE(running.error());
  EXPECT_EQ(running.error()->number(), EBADMSG);
}

TEST_F(ReplayTest, stops_where_it_is_and_says_what_was_sent) {
  capture_times("a.pcap", {0s, 1s, 2s});
  Replayer& running = replay({"a.pcap"});
  int ends = 0;
  running.on_end = [&] { ++ends; };
  host.run_until(1500ms);
  running.stop();
  running.stop();
  host.run_until(10s);
  EXPECT_EQ(running.state(), Replayer::State::stopped);
  EXPECT_EQ(running.totals().records, 2U);
  EXPECT_EQ(running.totals().sent, 2U);
  EXPECT_EQ(wire.given.size(), 2U);
  EXPECT_EQ(ends, 1);
}

TEST_F(ReplayTest, a_frame_in_several_pieces_counts_once_and_is_sent_when_all_are) {
  Frame datagram = ether(kOurMac, 0x0800, hex("4500 0fb4 0001 0000 40 11 0000 0a000001 0a000002") + counting(4000));
  capture("a.pcap", {{0s, datagram}, {0s, datagram}, {0s, numbered(9)}});
  Replayer& running = replay({"a.pcap"}, {}, {.mtu_bytes = 1500, .oversize = ReplayOversize::split});
  wire.answers = {{4, WireAnswer::refused}};
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(totals.split, 2U);
  EXPECT_EQ(totals.sent, 2U);
  EXPECT_EQ(totals.failed, 1U);
  EXPECT_EQ(totals.wire_frames, 3U + 2U + 1U);
}

}  // namespace
