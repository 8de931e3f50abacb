// SPDX-License-Identifier: BSD-2-Clause
// Frames out, through the ring and without one: whole, in order, none twice, and what becomes of those the host will
// not take.
#include <thread>

#include "tests/hypercall/uring/uring_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using drv::SendStatus;

WireFrames numbered(std::size_t count, std::size_t payload_bytes = 46) {
  WireFrames frames;
  for (std::size_t i = 0; i < count; ++i) {
    Frame payload = counting(payload_bytes);
    store_be32(payload.data(), static_cast<std::uint32_t>(i));
    frames.push_back({ether(kPeerMac, 0x88b5, payload)});
  }
  return frames;
}

class UringSend : public UringRig, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    UringRig::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    HostFaults host;
    if (!GetParam()) host.fail("io_uring_queue_init_params", ENOSYS);
    start("uring:vifa");
  }
  // Who was taken, in the end, is who has come: all of them, in order.
  void expect_arrived(const WireFrames& frames) {
    WireFrames seen = peer->receive_all();
    for (int tries = 0; seen.size() < frames.size() && tries < 1000; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      for (WireFrame& more : peer->receive_all()) seen.push_back(std::move(more));
    }
    EXPECT_EQ(seen.size(), frames.size());
    EXPECT_TRUE(seen == frames);
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, UringSend, testing::Bool(),
                         [](const auto& with) { return with.param ? "io_uring" : "sendmmsg"; });

TEST_P(UringSend, says_what_it_chose) {
  EXPECT_NE(link.link.chosen.find(GetParam() ? "io_uring" : "sendmmsg"), std::string::npos) << link.link.chosen;
}

TEST_P(UringSend, sends_bursts_of_any_size) {
  WireFrames all;
  for (const std::size_t count : {1UL, 3UL, 4UL, 63UL, 64UL, 65UL, 200UL}) {
    const WireFrames frames = numbered(count, 100 + count);
    EXPECT_EQ(link.send(frames).taken, count);
    all.insert(all.end(), frames.begin(), frames.end());
  }
  for (const std::size_t slices : {2UL, 16UL}) {
    const WireFrames frames = numbered(10, 1500);
    EXPECT_EQ(link.send(frames, slices).taken, 10U);
    all.insert(all.end(), frames.begin(), frames.end());
  }
  expect_arrived(all);
}

TEST_P(UringSend, keeps_the_order_of_frames_with_and_without_offload) {
  WireFrames frames = numbered(40);
  for (std::size_t i = 5; i < frames.size(); i += 7) {
    frames[i] = {ether(kPeerMac, 0x0800, counting(500)),
                 {.flags = net::Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 6}};
  }
  EXPECT_EQ(link.send(frames).taken, frames.size());
  expect_arrived(frames);
}

TEST_P(UringSend, knows_the_largest_frame_with_and_without_a_tag) {
  const Frame largest = ether(kPeerMac, 0x88b5, counting(1500));
  const WireFrames good = {{largest}, {tagged(largest, 7)}, {largest}};
  EXPECT_EQ(link.send(good).status, SendStatus::ok);
  for (const Frame& bad : {ether(kPeerMac, 0x88b5, counting(1501)), tagged(ether(kPeerMac, 0x88b5, counting(1501)), 7),
                           ether(kPeerMac, 0x88b5, counting(1504))}) {
    const drv::SendResult result = link.send(WireFrames{{largest}, {bad}, {largest}});
    EXPECT_EQ(result.taken, 1U);
    EXPECT_EQ(result.status, SendStatus::message_size);
  }
  expect_arrived({good[0], good[1], good[2], good[0], good[0], good[0]});
}

// A token bucket holds frames back, so that the socket's send buffer fills.
TEST_P(UringSend, waits_for_room_and_loses_nothing) {
  network.run("tc qdisc add dev vifa root tbf rate 100mbit burst 20k limit 100000000");
  const WireFrames frames = numbered(1000, 1000);
  ASSERT_TRUE(send_all(frames));
  EXPECT_GT(waits, 0U) << "or this has tested nothing";
  expect_arrived(frames);
}

// A queue of the host's that is shorter than what we may send drops frames, and says so without saying when it has
// room.
TEST_P(UringSend, tries_again_where_the_host_cannot_tell_and_counts_what_it_gave_up) {
  network.run("tc qdisc add dev vifa root tbf rate 50mbit burst 10k limit 20k");
  const WireFrames frames = numbered(1000, 1000);
  ASSERT_TRUE(send_all(frames));
  EXPECT_GT(waits, 0U) << "or this has tested nothing";
  WireFrames seen;
  ASSERT_TRUE(drain_until([&] {
    for (WireFrame& more : peer->receive_all()) seen.push_back(std::move(more));
    return seen.size() + sink.lost(DropReason::tx_error) >= frames.size();
  }));
  EXPECT_EQ(seen.size() + sink.lost(DropReason::tx_error), frames.size());
  EXPECT_GT(seen.size(), frames.size() / 2);
  std::int64_t before = -1;
  for (const WireFrame& frame : seen) {
    const auto number = std::int64_t{load_be32(&frame.bytes[net::kEtherHeaderBytes])};
    ASSERT_GT(number, before) << "in order";
    before = number;
  }
}

TEST_P(UringSend, goes_on_when_another_thread_takes_over) {
  const WireFrames frames = numbered(64);
  EXPECT_EQ(link.send(WireFrames(frames.begin(), frames.begin() + 32)).taken, 32U);
  std::thread([&] { EXPECT_EQ(link.send(WireFrames(frames.begin() + 32, frames.begin() + 48)).taken, 16U); }).join();
  EXPECT_EQ(link.send(WireFrames(frames.begin() + 48, frames.end())).taken, 16U);
  expect_arrived(frames);
}

// --- calls that fail ---

TEST_P(UringSend, waits_a_little_for_a_host_without_memory_then_gives_the_frame_up) {
  HostFaults host;
  host.fail("ioctl", EIO);  // so that the ring is not asked
  host.fail("sendmmsg", ENOBUFS, 10);
  const WireFrames frames = numbered(8);
  ASSERT_TRUE(send_all(frames));
  EXPECT_EQ(waits, 8U) << "three times for each of two, and twice for the third";
  ASSERT_TRUE(drain_until([&] { return sink.lost(DropReason::tx_error) > 0; }));
  EXPECT_EQ(sink.lost(DropReason::tx_error), 2U);
  expect_arrived({frames.begin() + 2, frames.end()});
}

TEST_P(UringSend, counts_every_frame_that_cannot_be_sent_at_all) {
  HostFaults host;
  host.fail("ioctl", EIO);
  for (const int number : {EIO, EINVAL, EPERM}) {
    host.fail("sendmmsg", number);
    EXPECT_EQ(link.send(numbered(100)).taken, 100U);
  }
  ASSERT_TRUE(drain_until([&] { return sink.lost(DropReason::tx_error) > 0; }));
  EXPECT_EQ(sink.lost(DropReason::tx_error), 300U);
  host.heal("sendmmsg");
  EXPECT_EQ(link.send(numbered(10)).taken, 10U);
  expect_arrived(numbered(10));
}

TEST_P(UringSend, says_what_is_the_matter_with_the_first_frame_not_taken) {
  HostFaults host;
  host.fail("ioctl", EIO);
  const std::pair<int, SendStatus> kCases[] = {
      {EMSGSIZE, SendStatus::message_size}, {ENETDOWN, SendStatus::network_down}, {ENXIO, SendStatus::network_down},
      {ENODEV, SendStatus::network_down},   {EAGAIN, SendStatus::would_block},    {EINTR, SendStatus::would_block}};
  for (const auto& [number, status] : kCases) {
    host.fail("sendmmsg", number, 1);
    const drv::SendResult result = link.send(numbered(8));
    EXPECT_EQ(result.taken, 0U) << number;
    EXPECT_EQ(result.status, status) << number;
    const std::size_t before = sink.readies;
    const bool comes_back = status != SendStatus::would_block || drain_until([&] { return sink.readies > before; });
    EXPECT_TRUE(comes_back) << number;
  }
  EXPECT_EQ(peer->receive_all().size(), 0U);
}

// Where not even waiting can be arranged, time is what is left.
TEST_P(UringSend, comes_back_without_being_told_of_room) {
  HostFaults host;
  host.fail("ioctl", EIO);
  host.fail("sendmmsg", EAGAIN, 1);
  host.fail("epoll_ctl", ENOSPC, 1);
  ASSERT_TRUE(send_all(numbered(5)));
  EXPECT_EQ(waits, 1U);
  expect_arrived(numbered(5));
}

TEST_P(UringSend, does_without_a_ring_that_fails) {
  for (const int number : {EIO, EINTR, EBUSY, EEXIST}) {
    HostFaults host;
    host.fail("io_uring_submit_and_wait", number, 1);
    EXPECT_EQ(link.send(numbered(20)).taken, 20U) << number;
    expect_arrived(numbered(20));
  }
  EXPECT_EQ(sink.lost(DropReason::tx_error), 0U);
}

}  // namespace
