// SPDX-License-Identifier: BSD-2-Clause
// Frames between threads, by one thread: what fits, what does not, and that each of them is counted once. Threads:
// frame_buffer_threads_test.cpp.
#include "hypercall/frame_buffer.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/recording_sink.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::FrameBuffer;
using host::FrameExchange;
using During = RecordingSink::During;

bool push(FrameBuffer& buffer, const WireFrame& frame, std::size_t slices = 1) {
  return buffer.push(Sliced(frame, slices).view(), 5);
}

TEST(FrameBuffer, holds_so_many_frames) {
  FrameBuffer buffer;
  const WireFrame frame{counting(14)};
  for (int lap = 0; lap < 3; ++lap) {
    for (std::size_t i = 0; i < FrameBuffer::kFrames; ++i) ASSERT_TRUE(push(buffer, frame));
    EXPECT_FALSE(push(buffer, frame));
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(FrameBuffer, holds_so_many_bytes) {
  FrameBuffer buffer;
  const WireFrame largest{counting(262'144)};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(push(buffer, largest));
  EXPECT_FALSE(push(buffer, {counting(1)})) << "not a byte is left";
  EXPECT_EQ(buffer.take(10).size(), 4U);
}

// 262 143 is one short of what alignment rounds it to.
TEST(FrameBuffer, never_writes_behind_its_end) {
  FrameBuffer buffer;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(push(buffer, {counting(262'143)}));
  EXPECT_FALSE(push(buffer, {counting(1)}));
  buffer.clear();
  ASSERT_TRUE(push(buffer, {counting(FrameBuffer::kBytes)}));
  EXPECT_FALSE(push(buffer, {counting(1)}));
  buffer.clear();
  EXPECT_FALSE(push(buffer, {counting(FrameBuffer::kBytes + 1)}));
}

TEST(FrameBuffer, gives_frames_in_one_piece_as_they_came) {
  FrameBuffer buffer;
  const std::size_t sizes[] = {14, 15, 63, 1514, 9000, 60};
  for (const std::size_t bytes : sizes) ASSERT_TRUE(push(buffer, {counting(bytes), {.gso_size = 7}}, bytes % 5 + 1));
  for (const std::size_t bytes : sizes) {
    const auto one = buffer.take(1);
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(Frame(one[0].bytes.begin(), one[0].bytes.end()), counting(bytes));
    EXPECT_EQ(one[0].timestamp_ns, 5);
    EXPECT_EQ(one[0].offload.gso_size, 7);
  }
  EXPECT_TRUE(buffer.take(1).empty());
}

class Exchange : public testing::Test {
 protected:
  ~Exchange() override { close(); }
  std::optional<std::size_t> push(std::size_t count, std::size_t bytes = 60) {
    const WireFrame frame{counting(bytes)};
    const Sliced sliced(frame, 1);
    return exchange.push(std::vector(count, sliced.view()), 9);
  }
  bool drain(std::size_t budget) {
    sink.during = During::drain;
    const bool more = exchange.drain(budget, sink);
    sink.during = During::nothing;
    return more;
  }
  void close() {
    sink.during = During::stop;
    exchange.close();
    sink.during = During::nothing;
  }
  RecordingSink sink;
  FrameExchange exchange;
};

TEST_F(Exchange, takes_nothing_while_closed) {
  EXPECT_EQ(push(3), std::nullopt);
  exchange.wake();
  close();
  exchange.open(sink);
  EXPECT_FALSE(drain(64));
  EXPECT_TRUE(sink.frames.empty());
  EXPECT_EQ(sink.readies, 0U);
}

TEST_F(Exchange, says_ready_once_a_burst) {
  exchange.open(sink);
  push(32);
  EXPECT_EQ(sink.readies, 1U);
  push(1);
  EXPECT_EQ(sink.readies, 2U);
}

TEST_F(Exchange, counts_every_frame_that_did_not_fit) {
  exchange.open(sink);
  std::size_t copied = 0;
  for (int burst = 0; burst < 50; ++burst) copied += *push(32);
  EXPECT_EQ(copied, FrameBuffer::kFrames);
  while (drain(64)) continue;
  EXPECT_EQ(sink.frames.size(), copied);
  EXPECT_EQ(sink.lost(DropReason::rx_overrun), 1600 - copied);
  close();
  EXPECT_EQ(sink.lost(DropReason::rx_overrun), 1600 - copied) << "once";
}

// A large frame that does not fit does not keep a small one behind it out.
TEST_F(Exchange, fills_up_with_what_still_fits) {
  exchange.open(sink);
  EXPECT_EQ(push(5, 262'000), 4U);
  EXPECT_EQ(push(3, 60), 3U);
  while (drain(64)) continue;
  EXPECT_EQ(sink.frames.size(), 7U);
  EXPECT_EQ(sink.lost(DropReason::rx_overrun), 1U);
}

TEST_F(Exchange, can_be_filled_while_it_is_emptied) {
  exchange.open(sink);
  push(1000);
  EXPECT_TRUE(drain(10));
  EXPECT_EQ(push(1024), 1024U);
  EXPECT_TRUE(drain(990)) << "the other half waits";
  EXPECT_FALSE(drain(1024));
  EXPECT_EQ(sink.frames.size(), 2024U);
}

TEST_F(Exchange, reports_what_it_still_held_when_closed) {
  exchange.open(sink);
  push(1000);
  drain(10);
  push(1100);
  close();
  EXPECT_EQ(sink.frames.size(), 10U);
  EXPECT_EQ(sink.lost(DropReason::not_running), 990U + 1024U);
  EXPECT_EQ(sink.lost(DropReason::rx_overrun), 76U);
  exchange.open(sink);
  EXPECT_FALSE(drain(64)) << "nothing of before";
}

}  // namespace
