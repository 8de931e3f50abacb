// SPDX-License-Identifier: BSD-2-Clause
// The same questions to every backend, about frames: whole, in order, unchanged, none too many, both ways.
#include <gtest/gtest.h>

#include "tests/conformance/link_contract.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// --- receive ---

TEST_P(LinkContract, delivers_every_frame_of_a_burst) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{32}, std::size_t{64}}) {
    ASK(world_->prepare_any(count));
    open_and_start();
    world_->release();
    link_.drain_all();
    EXPECT_EQ(std::exchange(sink_.frames, {}).size(), count);
    TearDown();
  }
}

TEST_P(LinkContract, delivers_frames_whole_in_order_and_unchanged) {
  open();
  WireFrames frames;
  for (const std::size_t bytes : {14UL, 15UL, 59UL, 60UL, 64UL, 1514UL, 9014UL, 65550UL, largest()}) {
    if (bytes <= largest()) frames.push_back(numbered(bytes, static_cast<unsigned>(frames.size())));
  }
  link_.link.port.reset();
  ASK(world_->prepare(frames));
  open_and_start();
  world_->release();
  link_.drain_all();
  expect_same(sink_.frames, frames);
}

TEST_P(LinkContract, keeps_to_the_budget_and_says_whether_there_is_more) {
  ASK(world_->prepare_any(100));
  open_and_start();
  world_->release();
  for (const std::size_t budget : {1UL, 2UL, 31UL, 33UL}) {
    const std::size_t before = sink_.frames.size();
    EXPECT_TRUE(link_.drain(budget)) << "there is more";
    EXPECT_LE(sink_.frames.size() - before, budget);
  }
  link_.drain_all();
  EXPECT_EQ(sink_.frames.size(), 100U) << "it said there was no more, without ready()";
}

TEST_P(LinkContract, calls_ready_for_what_arrives_while_idle) {
  ASK(world_->prepare_any(1));
  if (!world_->arrives_when_released()) GTEST_SKIP() << GetParam().name << ": its frames are there from the start";
  open_and_start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(link_.drain(64));
    world_->prepare_any(1);
    const std::size_t before = sink_.readies;
    world_->release();
    EXPECT_GT(sink_.readies, before);
    link_.drain_all();
  }
  EXPECT_EQ(sink_.frames.size(), 3U);
}

// A hint may let more pass, never less.
TEST_P(LinkContract, passes_all_that_its_filter_asks_for) {
  const std::vector<net::MacRange> groups = {net::MacRange::single(kGroupMac)};
  const net::MacAddress other_group{{0x33, 0x33, 0, 0, 0, 1}}, stranger{{0x02, 9, 9, 9, 9, 9}};
  const struct {
    drv::ReceiveFilter filter;
    std::vector<net::MacAddress> wanted;
  } kCases[] = {
      {{.lladdr = kOurMac}, {kOurMac, net::kBroadcast}},
      {{.lladdr = kOurMac, .groups = groups}, {kOurMac, net::kBroadcast, kGroupMac}},
      {{.lladdr = kOurMac, .allmulti = true}, {kOurMac, net::kBroadcast, kGroupMac, other_group}},
      {{.lladdr = kOurMac, .promisc = true}, {kOurMac, net::kBroadcast, kGroupMac, other_group, stranger}},
  };
  for (const auto& asked : kCases) {
    WireFrames frames;
    for (const net::MacAddress& dst : asked.wanted) frames.push_back(numbered(60, 0, dst));
    ASK(world_->prepare(frames));
    open();
    link_.link.port->set_receive_filter({.lladdr = stranger});
    ASSERT_TRUE(link_.link.port->start(sink_));
    link_.link.port->set_receive_filter(asked.filter);  // also while running
    world_->release();
    link_.drain_all();
    EXPECT_EQ(std::exchange(sink_.frames, {}), frames);
    TearDown();
  }
}

// --- send ---

TEST_P(LinkContract, takes_bursts) {
  open_and_start();
  WireFrames all;
  for (const std::size_t count : {1UL, 32UL, 64UL}) {
    const WireFrames burst = burst_of(count);
    send_all(burst);
    all.insert(all.end(), burst.begin(), burst.end());
  }
  compare_sent(all);
}

TEST_P(LinkContract, sends_frames_whole_in_order_and_unchanged) {
  open_and_start();
  WireFrames frames;
  for (const std::size_t bytes : {14UL, 15UL, 59UL, 60UL, 64UL, 1514UL, 9014UL, largest()}) {
    if (bytes >= caps().frame_bytes_min && bytes <= largest()) frames.push_back(numbered(bytes));
  }
  WireFrames all;
  for (const std::size_t slices : {1UL, 2UL, 7UL}) {
    if (slices > caps().slices_max) continue;
    send_all(frames, slices);
    all.insert(all.end(), frames.begin(), frames.end());
  }
  if (!compare_sent(all)) GTEST_SKIP() << GetParam().name << ": nobody sees what it takes";
}

TEST_P(LinkContract, refuses_a_frame_too_large_and_takes_those_before_it) {
  open_and_start();
  WireFrames frames = burst_of(3);
  frames[2] = numbered(largest() + 1);
  frames.push_back(numbered(60, 3));
  const drv::SendResult result = link_.send(frames);
  EXPECT_EQ(result.taken, 2U);
  EXPECT_EQ(result.status, drv::SendStatus::message_size);
  send_all({frames[3]});  // goes on behind it
  frames.erase(frames.begin() + 2);
  compare_sent(frames);
}

// That send makes no upcall but ready() is checked by the sink, here and in every other test.
TEST_P(LinkContract, gives_us_none_of_our_own_frames_unless_it_says_so) {
  open_and_start();
  if (caps().reflects) GTEST_SKIP() << GetParam().name << ": it says that it reflects";
  for (int i = 0; i < 4; ++i) {
    send_all(burst_of(32));
    link_.drain_all();
  }
  EXPECT_TRUE(sink_.frames.empty());
}

TEST_P(LinkContract, carries_offload_when_it_says_so) {
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoTcp4,
                             .hdr_len = 54,
                             .gso_size = 1448,
                             .csum_start = 34,
                             .csum_offset = 16};
  open();
  if (!caps().offload.takes(offload)) GTEST_SKIP() << GetParam().name << ": it says that it does not";
  // What a kernel on the way takes for one: 39,986 bytes of IPv4 (RFC 791), TCP with an ACK (RFC 9293).
  const Frame headers =
      hex("4500 9c32 0000 4000 4006 8a17 0a560001 0a560002") + hex("1388 1389 00000001 00000001 5010 0400 0000 0000");
  WireFrames frames = {numbered(60), {ether(kOurMac, 0x0800, headers + counting(39'946))}, numbered(60)};
  frames[1].offload = offload;
  link_.link.port.reset();
  const bool receives = !world_->prepare(frames);
  prepared_ = receives;
  open_and_start();
  world_->release();
  link_.drain_all();
  if (receives) expect_same(sink_.frames, frames);
  send_all(frames);
  compare_sent(frames);
}

}  // namespace
