// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tx_trains.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/recording_sink.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::TxTrains;

// What a datagram of network 7 looks like: flags, VNI, the frame (RFC 7348, 5).
Frame datagram(const Frame& frame) { return hex("08000000 00000700") + frame; }

struct Trains {
  bool push(const Frame& frame, host::Remotes::Number remote = 0, bool may_join = true, std::size_t slices = 1) {
    return trains.push(Sliced({frame}, slices).view(), remote, may_join);
  }
  std::vector<std::size_t> segments() const {
    std::vector<std::size_t> counts;
    for (const auto& train : trains.trains()) counts.push_back(train.segments);
    return counts;
  }
  TxTrains trains{7};
};

using Counts = std::vector<std::size_t>;

TEST(TxTrains, puts_each_frame_behind_its_header) {
  Trains t;
  for (const std::size_t slices : {1UL, 3UL}) ASSERT_TRUE(t.push(counting(100), 2, true, slices));
  ASSERT_EQ(t.trains.trains().size(), 1U);
  const TxTrains::Train& train = t.trains.trains()[0];
  EXPECT_EQ(train.remote, 2U);
  EXPECT_EQ(train.segment_bytes, 108U);
  EXPECT_EQ(train.bytes.size(), 216U);
  for (const std::size_t i : {0UL, 1UL}) {
    const Bytes segment = train.segment(i);
    EXPECT_EQ(Frame(segment.begin(), segment.end()), datagram(counting(100)));
  }
}

TEST(TxTrains, joins_neighbours_of_equal_length_for_one_remote) {
  Trains t;
  for (int i = 0; i < 3; ++i) t.push(counting(60));
  for (int i = 0; i < 2; ++i) t.push(counting(60), 1);
  t.push(counting(61), 1);
  EXPECT_EQ(t.segments(), (Counts{3, 2, 1}));
}

TEST(TxTrains, ends_a_train_with_a_shorter_frame) {
  Trains t;
  for (const std::size_t bytes : {100UL, 100UL, 60UL, 60UL, 100UL, 99UL, 99UL}) t.push(counting(bytes));
  EXPECT_EQ(t.segments(), (Counts{3, 1, 2, 1}));
  EXPECT_EQ(t.trains.trains()[0].segment(2).size(), 68U);
  EXPECT_EQ(t.trains.trains()[0].segment(1).size(), 108U);
}

TEST(TxTrains, keeps_to_what_the_kernel_takes_in_one_piece) {
  Trains t;
  for (std::size_t i = 0; i < TxTrains::kSegments + 1; ++i) ASSERT_TRUE(t.push(counting(60)));
  EXPECT_EQ(t.segments(), (Counts{64, 1}));
  Trains large;
  while (large.push(counting(9014))) continue;
  for (const auto& train : large.trains.trains()) EXPECT_LE(train.bytes.size(), 65'507U);
  EXPECT_EQ(large.segments(), (Counts{7, 7}));
}

TEST(TxTrains, joins_nothing_where_there_are_no_trains) {
  Trains t;
  for (int i = 0; i < 3; ++i) t.push(counting(60), 0, false);
  EXPECT_EQ(t.segments(), (Counts{1, 1, 1}));
}

TEST(TxTrains, is_full_at_some_point_and_empty_again) {
  Trains t;
  std::size_t frames = 0;
  while (t.push(counting(60), 0, false)) ++frames;
  EXPECT_EQ(frames, TxTrains::kTrains);
  t.trains.clear();
  EXPECT_TRUE(t.trains.trains().empty());
  for (frames = 0; t.push(counting(65'499)); ++frames) continue;
  EXPECT_GE(frames, 1U);
}

}  // namespace
