// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_plan.hpp"

#include <gtest/gtest.h>

#include "netstack/replay/replay_schedule.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace std::chrono_literals;
using Kind = ReplaySpeed::Kind;

TEST(ReplayPlan, reads_speeds_as_people_write_them) {
  const struct {
    const char* text;
    Kind kind;
    double value;
  } cases[] = {{"original", Kind::recorded, 1},
               {"x2", Kind::recorded, 2},
               {"x0.5", Kind::recorded, 0.5},
               {"pps=1000", Kind::frames_per_second, 1000},
               {"pps=0.5", Kind::frames_per_second, 0.5},
               {"pps=20k", Kind::frames_per_second, 20'000},
               {"bps=1.5G", Kind::bits_per_second, 1.5e9},
               {"bps=10M", Kind::bits_per_second, 1e7}};
  for (const auto& [text, kind, value] : cases) {
    const Result<ReplaySpeed> speed = parse_replay_speed(text);
    ASSERT_TRUE(speed) << text;
    EXPECT_EQ(speed->kind, kind) << text;
    EXPECT_DOUBLE_EQ(speed->value, value) << text;
  }
  EXPECT_EQ(parse_replay_speed("top")->kind, Kind::top);
}

TEST(ReplayPlan, refuses_other_speeds_and_says_what_is_one) {
  for (const char* text : {"", "x", "x0", "x-1", "2x", "xnan", "xinf", "x2 ", "pps=", "pps=10m", "bps=1e3", "bps=1T",
                           "Original", "pps=0", "pps=9999999999999"}) {
    const Result<ReplaySpeed> speed = parse_replay_speed(text);
    ASSERT_FALSE(speed) << text;
    EXPECT_EQ(speed.error().number(), EINVAL);
    EXPECT_NE(speed.error().text.find("pps=20k"), std::string::npos);
  }
}

TEST(ReplayPlan, reads_times) {
  EXPECT_EQ(*parse_replay_time("250us"), 250us);
  EXPECT_EQ(*parse_replay_time("1.5s"), 1500ms);
  EXPECT_EQ(*parse_replay_time("2h"), 2h);
  EXPECT_EQ(*parse_replay_time("3m"), 3min);
  EXPECT_EQ(*parse_replay_time("0ns"), 0ns);
  for (const char* text : {"", "5", "-1s", "1 s", "1d", "s", "nans", "99999999h"})
    EXPECT_FALSE(parse_replay_time(text));
}

std::vector<Time> dues(ReplaySchedule schedule, const std::vector<std::optional<std::int64_t>>& times) {
  std::vector<Time> due;
  for (const auto& time : times) {
    schedule.next(time);
    due.push_back(schedule.due());
    schedule.sent(1, 125);
  }
  return due;
}

TEST(ReplaySchedule, first_frame_is_due_at_once_and_the_second_keeps_its_gap) {
  EXPECT_EQ(dues({{}, {}}, {1000, 1700, 1700, 2000}), (std::vector<Time>{0ns, 700ns, 700ns, 1000ns}));
}

TEST(ReplaySchedule, a_step_back_or_no_time_goes_with_the_frame_before) {
  EXPECT_EQ(dues({{}, {}}, {{}, 1000, 500, {}, 900, 1500}), (std::vector<Time>{0ns, 0ns, 0ns, 0ns, 0ns, 500ns}));
}

TEST(ReplaySchedule, gaps_are_cut_as_played) {
  EXPECT_EQ(dues({{}, 100ns}, {0, 50, 1'000'000, 1'000'020}), (std::vector<Time>{0ns, 50ns, 150ns, 170ns}));
  EXPECT_EQ(dues({{Kind::recorded, 2}, 100ns}, {0, 50, 1'000'000}), (std::vector<Time>{0ns, 25ns, 125ns}));
}

TEST(ReplaySchedule, hostile_times_neither_overflow_nor_wait_backward) {
  const std::vector<Time> due = dues({{Kind::recorded, 0.000'001}, {}}, {INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX});
  EXPECT_EQ(due, (std::vector<Time>{0ns, ReplaySchedule::kLatest, ReplaySchedule::kLatest, ReplaySchedule::kLatest}));
  EXPECT_EQ(dues({{}, {}}, {INT64_MIN, INT64_MAX}).back(), ReplaySchedule::kLatest);
}

TEST(ReplaySchedule, rates_do_not_drift) {
  ReplaySchedule thirds({Kind::frames_per_second, 3}, {});
  for (int i = 0; i < 3'000'000; ++i) thirds.sent(1, 60);
  EXPECT_EQ(thirds.due(), 1'000'000s);
  ReplaySchedule bits({Kind::bits_per_second, 7e6}, {});
  for (int i = 0; i < 1'000'000; ++i) bits.sent(1, 875);
  EXPECT_EQ(bits.due(), 1000s);
  EXPECT_EQ(dues({{Kind::frames_per_second, 1000}, {}}, {9, 8, 7}), (std::vector<Time>{0ns, 1ms, 2ms}));
  EXPECT_EQ(dues({{Kind::top, 1}, {}}, {0, 1'000'000, 2'000'000}), (std::vector<Time>{0ns, 0ns, 0ns}));
}

TEST(ReplaySchedule, passes_are_the_same) {
  ReplaySchedule schedule({}, {});
  std::vector<Time> due;
  for (int pass = 0; pass < 3; ++pass) {
    for (const std::int64_t time : {100, 400, 600}) {
      schedule.next(time);
      due.push_back(schedule.due() - 500ns * pass);
    }
    schedule.next_pass();
  }
  EXPECT_EQ(due, (std::vector<Time>{0ns, 300ns, 500ns, 0ns, 300ns, 500ns, 0ns, 300ns, 500ns}));
}

}  // namespace
