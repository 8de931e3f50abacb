// SPDX-License-Identifier: BSD-2-Clause
// Mutants: as_live leaves ACK alone; ahead has the other sign; begun() takes a flow that is live already; SACK edges
// stay.
#include "netstack/replay/learned_flows.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

constexpr std::size_t kTcpAt = 14 + 20;

Frame with_sum(Frame frame) {
  store_be16(frame.data() + kTcpAt + 16, 0);
  const Bytes segment = Bytes(frame).subspan(kTcpAt);
  const std::uint16_t sum =
      plain_sum(segment, super_frames::pseudo_sum(Bytes(frame).subspan(14 + 12, 8), 6, segment.size()));
  store_be16(frame.data() + kTcpAt + 16, static_cast<std::uint16_t>(~sum));
  return frame;
}
// From 10.86.0.1, the stack, to 10.86.0.2 unless the other way round.
Frame segment(std::uint16_t from, std::uint16_t to, std::uint32_t seq, std::uint32_t ack, bool to_stack = false) {
  Frame frame = super_frame({.payload_bytes = 6, .gso_size = 0, .tcp_option_bytes = 12}).bytes;
  if (to_stack) std::swap(frame[14 + 15], frame[14 + 19]);
  store_be16(frame.data() + kTcpAt, from);
  store_be16(frame.data() + kTcpAt + 2, to);
  store_be32(frame.data() + kTcpAt + 4, seq);
  store_be32(frame.data() + kTcpAt + 8, ack);
  if (to_stack) {  // no-operation twice, SACK of one block
    const Frame sack = hex("01 01 05 0a 00000000 00000000");
    std::copy(sack.begin(), sack.end(), frame.begin() + kTcpAt + 20);
    store_be32(frame.data() + kTcpAt + 24, ack + 10);
    store_be32(frame.data() + kTcpAt + 28, ack + 20);
  }
  return with_sum(frame);
}

Frame kept(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

class LearnedFlowsTest : public testing::Test {
 protected:
  LearnedFlows flows{*LearnedFlows::parse("tcp.seq,tcp.srcport,udp.srcport")};
  Scratch scratch;
};

TEST_F(LearnedFlowsTest, refuses_what_cannot_be_learned) {
  EXPECT_FALSE(LearnedFlows::parse("tcp.seq,ip.ttl"));
  EXPECT_FALSE(LearnedFlows::parse(","));
  EXPECT_FALSE(LearnedFlows::parse("")->any());
}

TEST_F(LearnedFlowsTest, puts_ports_and_sequence_numbers_in_place_of_each_other) {
  flows.add(segment(40000, 80, 0xffff'fff0, 500));
  EXPECT_EQ(kept(flows.as_live(segment(80, 40000, 500, 7, true), scratch)), segment(80, 40000, 500, 7, true))
      << "nothing is learned yet";
  EXPECT_EQ(kept(flows.as_recorded(segment(50123, 80, 0x20, 500), scratch)), segment(40000, 80, 0xffff'fff0, 500));
  EXPECT_EQ(kept(flows.as_recorded(segment(50123, 80, 0x30, 501), scratch)), segment(40000, 80, 0, 501));
  EXPECT_EQ(kept(flows.as_live(segment(80, 40000, 501, 1, true), scratch)), segment(80, 50123, 501, 0x31, true));
}

TEST_F(LearnedFlowsTest, takes_flows_in_the_order_they_were_recorded) {
  flows.add(segment(40000, 80, 100, 0));
  flows.add(segment(40001, 80, 200, 0));
  EXPECT_EQ(kept(flows.as_recorded(segment(1000, 80, 5, 0), scratch)), segment(40000, 80, 100, 0));
  EXPECT_EQ(kept(flows.as_recorded(segment(1001, 80, 6, 0), scratch)), segment(40001, 80, 200, 0));
  EXPECT_EQ(kept(flows.as_recorded(segment(1002, 80, 7, 0), scratch)), segment(1002, 80, 7, 0)) << "one too many";
  EXPECT_EQ(kept(flows.as_recorded(segment(1003, 81, 7, 0), scratch)), segment(1003, 81, 7, 0)) << "a stranger";
  EXPECT_EQ(kept(flows.as_live(segment(80, 40001, 0, 201, true), scratch)), segment(80, 1001, 0, 7, true));
}

TEST_F(LearnedFlowsTest, learns_only_what_it_was_told) {
  LearnedFlows ports(*LearnedFlows::parse("udp.srcport"));
  ports.add(udp_packet(counting(9), false, 64, 4000));
  ports.add(segment(40000, 80, 100, 0));
  EXPECT_EQ(kept(ports.as_recorded(udp_packet(counting(9), false, 64, 5555), scratch)),
            udp_packet(counting(9), false, 64, 4000));
  EXPECT_EQ(kept(ports.as_recorded(segment(40001, 80, 5, 0), scratch)), segment(40001, 80, 5, 0));
  EXPECT_EQ(kept(ports.as_recorded(segment(40000, 80, 5, 0), scratch)), segment(40000, 80, 5, 0));
}

TEST_F(LearnedFlowsTest, each_of_many_flows_is_its_own) {
  constexpr std::uint16_t kFlows = 10'000, kRecorded = 1000, kLive = 30'000;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    flows.add(udp_packet({}, i % 2 == 1, 64, static_cast<std::uint16_t>(kRecorded + i)));
  }
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    scratch.clear();
    const auto port = static_cast<std::uint16_t>(kLive + i);
    ASSERT_EQ(kept(flows.as_recorded(udp_packet({}, i % 2 == 1, 64, port), scratch)),
              udp_packet({}, i % 2 == 1, 64, static_cast<std::uint16_t>(kRecorded + i)));
  }
}

TEST_F(LearnedFlowsTest, a_flow_goes_on_as_it_began_and_another_takes_the_next) {
  flows.add(segment(40000, 80, 100, 0));
  flows.add(segment(40000, 80, 110, 0));  // the same
  flows.add(segment(40001, 80, 200, 0));
  (void)flows.as_recorded(segment(40001, 80, 5, 0), scratch);
  EXPECT_EQ(kept(flows.as_recorded(segment(40001, 80, 6, 0), scratch)), segment(40000, 80, 101, 0));
  EXPECT_EQ(kept(flows.as_recorded(segment(40000, 80, 5, 0), scratch)), segment(40001, 80, 200, 0));
}

TEST_F(LearnedFlowsTest, without_ports_the_ports_say_which_flow_it_is) {
  LearnedFlows sequences(*LearnedFlows::parse("tcp.seq"));
  sequences.add(segment(40000, 80, 100, 0));
  sequences.add(segment(40001, 80, 200, 0));
  EXPECT_EQ(kept(sequences.as_recorded(segment(40001, 80, 5, 0), scratch)), segment(40001, 80, 200, 0));
  EXPECT_EQ(kept(sequences.as_recorded(segment(40000, 80, 7, 0), scratch)), segment(40000, 80, 100, 0));
  EXPECT_EQ(kept(sequences.as_recorded(segment(40002, 80, 7, 0), scratch)), segment(40002, 80, 7, 0));
  EXPECT_EQ(kept(sequences.as_live(segment(80, 40001, 0, 201, true), scratch)), segment(80, 40001, 0, 6, true));
}

}  // namespace
