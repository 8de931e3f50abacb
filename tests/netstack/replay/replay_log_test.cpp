// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_log.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;

ReplayLog::Bin sum(const ReplayLog& log) {
  ReplayLog::Bin all;
  for (const ReplayLog::Bin& bin : log.bins()) {
    all.sent += bin.sent;
    all.received += bin.received;
    all.failed += bin.failed;
  }
  return all;
}

TEST(ReplayLog, is_empty_before_the_first_frame) {
  const ReplayLog log;
  EXPECT_TRUE(log.bins().empty());
  EXPECT_TRUE(log.busiest(5).empty());
}

TEST(ReplayLog, widens_its_bins_to_round_times_and_loses_no_frame) {
  ReplayLog log;
  const Frame frame = udp_packet(Frame(10));
  for (int i = 0; i < 100'000; ++i) {
    log.sent(frame, i * 1ms);
    log.received(frame, i * 1ms + 300us, i % 1000 == 0);
  }
  EXPECT_EQ(log.bin_width(), 1s);
  ASSERT_EQ(log.bins().size(), 100U);
  for (const ReplayLog::Bin& bin : log.bins()) {
    EXPECT_EQ(bin.sent, 1000U);
    EXPECT_EQ(bin.received, 1000U);
    EXPECT_EQ(bin.failed, 1U);
  }
  log.sent(frame, -5s);  // due before the start: counted there
  EXPECT_EQ(log.bins()[0].sent, 1001U);
}

TEST(ReplayLog, bears_any_time) {
  ReplayLog log;
  log.sent(udp_packet(Frame(10)), 1ns);
  log.sent(udp_packet(Frame(10)), Time::max());
  EXPECT_EQ(sum(log).sent, 2U);
  EXPECT_LE(log.bins().size(), ReplayLog::kBins);
}

TEST(ReplayLog, counts_both_directions_of_a_flow_as_one) {
  ReplayLog log;
  const Frame request = udp_packet(Frame(10)), other = udp_packet(Frame(10), false, 64, 5999);
  Frame answer = request;
  std::swap_ranges(answer.begin() + 26, answer.begin() + 30, answer.begin() + 30);
  std::swap_ranges(answer.begin() + 34, answer.begin() + 36, answer.begin() + 36);
  for (int i = 0; i < 3; ++i) log.sent(request, 0s);
  log.received(answer, 1s, true);
  log.sent(other, 1s);
  EXPECT_EQ(log.flows(), 2U);
  const std::vector<ReplayLog::Flow> flows = log.busiest(1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].sent, 3U);
  EXPECT_EQ(flows[0].sent_bytes, 3 * request.size());
  EXPECT_EQ(flows[0].received, 1U);
  EXPECT_EQ(flows[0].failed, 1U);
  EXPECT_EQ(flows[0].between.end_text(flows[0].between.source), "10.86.0.1:5000");
  EXPECT_EQ(flows[0].between.end_text(flows[0].between.destination), "10.86.0.2:5001");
  EXPECT_EQ(flows[0].between.protocol_text(), "UDP");
}

TEST(ReplayLog, keeps_so_many_flows_and_counts_the_frames_of_the_rest) {
  ReplayLog log;
  for (std::uint32_t i = 0; i < 2 * ReplayLog::kFlowsKept; ++i) {
    Frame frame = udp_packet(Frame(10), true);
    store_be32(frame.data() + 14 + 8, i);
    log.sent(frame, 1s);
  }
  EXPECT_EQ(log.flows(), ReplayLog::kFlowsKept);
  EXPECT_EQ(log.frames_of_other_flows(), ReplayLog::kFlowsKept);
  EXPECT_EQ(sum(log).sent, 2 * ReplayLog::kFlowsKept);
}

TEST(FrameFlow, names_who_talks_to_whom) {
  const Frame v6 = udp_packet(Frame(10), true);
  const FrameFlow flow = FrameFlow::of(v6);
  EXPECT_EQ(flow.end_text(flow.source).front(), '[');
  EXPECT_TRUE(flow.end_text(flow.source).ends_with("]:5000"));
  const Frame plain = ether(kOurMac, 0x88b5, Frame(50));
  const FrameFlow macs = FrameFlow::of(plain);
  EXPECT_EQ(macs.end_text(macs.destination), kOurMac.to_string());
  EXPECT_EQ(macs.protocol_text(), "Ethernet");
  EXPECT_EQ(FrameFlow::of(Frame(13)), FrameFlow{});
  EXPECT_NE(FrameFlowHash{}(flow), FrameFlowHash{}(macs));
}

TEST(FrameFlow, has_no_ports_in_fragments) {
  Frame frame = udp_packet(Frame(10));
  EXPECT_TRUE(FrameFlow::of(frame).has_ports);
  store_be16(frame.data() + 14 + 6, 0x2000);
  EXPECT_FALSE(FrameFlow::of(frame).has_ports);
}

}  // namespace
