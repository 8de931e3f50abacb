// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_estimate.hpp"

#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;
using Kind = ReplaySpeed::Kind;

class ReplayEstimate : public ReplayTest {
 protected:
  std::optional<ReplayExtent> extent(const ReplayPlan& plan, std::uint64_t frames_max = 1000) {
    auto opened = MergedCaptures::open(files, {"a.pcap"});
    EXPECT_TRUE(opened);
    return replay_extent(**opened, plan, {}, frames_max);
  }
  // Of a replay that has just begun.
  std::optional<Time> whole(const ReplayPlan& plan) { return replay_time_left(plan, extent(plan), {.passes = 1}); }
};

TEST_F(ReplayEstimate, is_when_the_last_frame_is_due) {
  capture_times("a.pcap", {0ns, 2s, 3s, 1000s});
  EXPECT_EQ(whole({}), 1000s);
  EXPECT_EQ(whole({.gap_max = 5s}), 8s);
  EXPECT_EQ(whole({.speed = {Kind::recorded, 2}, .passes = 3}), 1500s);
  EXPECT_EQ(whole({.speed = {Kind::frames_per_second, 2}, .passes = 10}), 20s);
  EXPECT_EQ(whole({.duration = 7s}), 7s);
  EXPECT_EQ(whole({.duration = 7h}), 1000s);
}

TEST_F(ReplayEstimate, is_what_the_replay_then_takes) {
  capture_times("a.pcap", {0ns, 2s, 3s, 1000s});
  const ReplayPlan plan{.gap_max = 7s, .passes = 3};
  const std::optional<Time> estimated = whole(plan);
  played(replay({"a.pcap"}, plan));
  EXPECT_EQ(wire.given.back().at, estimated);
  EXPECT_EQ(replay_time_left(plan, extent(plan), {.since_start = *estimated, .passes = 3}), 0s);
}

TEST_F(ReplayEstimate, of_what_has_no_end_there_is_none) {
  capture_times("a.pcap", {0ns, 2s});
  EXPECT_EQ(whole({.passes = ReplayPlan::kForever}), std::nullopt);
  EXPECT_EQ(whole({.passes = ReplayPlan::kForever, .duration = 3s}), 3s);
  EXPECT_EQ(whole({.passes = ReplayPlan::kForever, .frames_max = 10}), 10s);
}

TEST_F(ReplayEstimate, at_top_speed_it_goes_by_the_frames) {
  capture_times("a.pcap", {0ns, 2s});
  const ReplayPlan plan{.speed = {Kind::top, 1}, .passes = 100};
  EXPECT_EQ(whole(plan), std::nullopt);
  EXPECT_EQ(replay_time_left(plan, extent(plan), {.since_start = 1s, .frames = 50, .passes = 25}), 3s);
}

TEST_F(ReplayEstimate, of_large_captures_it_goes_by_what_was_read) {
  capture_times("a.pcap", {0ns, 2s, 3s, 1000s});
  EXPECT_FALSE(extent({}, 3));
  EXPECT_EQ(replay_time_left({}, {}, {.since_start = 10s, .passes = 1}), std::nullopt);
  EXPECT_EQ(replay_time_left({}, {}, {.since_start = 10s, .passes = 1, .share_read = 0.001}), std::nullopt);
  EXPECT_EQ(replay_time_left({}, {}, {.since_start = 10s, .passes = 1, .share_read = 0.25}), 30s);
  EXPECT_EQ(replay_time_left({.passes = 2}, {}, {.since_start = 10s, .passes = 2, .share_read = 0.0}), 10s);
  EXPECT_EQ(replay_time_left({.passes = ReplayPlan::kForever}, {}, {.passes = 9, .share_read = 0.5}), std::nullopt);
  EXPECT_EQ(replay_time_left({.frames_max = 100}, {}, {.since_start = 10s, .frames = 50, .passes = 1}), 10s);
}

TEST_F(ReplayEstimate, of_a_damaged_capture_nothing_is_known) {
  capture_times("a.pcap", {0ns, 2s});
  files.file("a.pcap").bytes.pop_back();
  EXPECT_FALSE(extent({}));
}

}  // namespace
