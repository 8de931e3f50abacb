// SPDX-License-Identifier: BSD-2-Clause
// What a peer that is many, hasty or hostile can make of our connections.
#include "tests/netstack/lwip/lwip_tcp_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

TEST_F(LwipTcp, refuses_more_connections_than_it_was_given) {
  listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny4, kOurPort}, side));
  for (std::uint16_t i = 0; i < 20; ++i) {
    arrive(Segment{static_cast<std::uint16_t>(5000 + i), kOurPort, 1, 0, Segment::kSyn});
  }
  EXPECT_EQ(segments().size(), 8U);
  EXPECT_EQ(stack->read().syn_refused, 12U);
}

TEST_F(LwipTcp, counts_connections_behind_extension_headers) {
  listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny6, kOurPort}, side));
  const IpAddress us = net::inet::with_eui64(net::inet::kLinkLocalPrefix6, kOurMac), peer = ip("fe80::2");
  const Frame no_options = hex("06 00 0104 00000000");  // RFC 8200, 4.6: next is TCP
  for (std::uint16_t i = 0; i < 20; ++i) {
    Frame syn = be16(5000U + i) + be16(kOurPort) + be32(1) + be32(0) + hex("5002") + be16(60'000) + be32(0);
    put16(syn, 16, plain_checksum(pseudo(peer, us, Segment::kProtocol, syn.size()) + syn));
    arrive(ether(kOurMac, 0x86dd, ip6(peer, us, 60, no_options + syn)));
  }
  EXPECT_EQ(stack->read().syn_refused, 12U);
}

// Anyone on the wire can end many connections; they wait out their time in memory of ours.
TEST_F(LwipTcp, forgets_ended_connections_when_there_are_many) {
  for (std::uint16_t i = 0; i < 100; ++i) {
    const auto their_port = static_cast<std::uint16_t>(5000 + i);
    if (!listener) listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny4, kOurPort}, side));
    arrive(Segment{their_port, kOurPort, 1000, 0, Segment::kSyn});
    const auto answer = segments();
    ASSERT_EQ(answer.size(), 1U) << i;
    arrive(Segment{their_port, kOurPort, 1001, answer[0].seq + 1, Segment::kAck});
    side.held->close();
    arrive(Segment{their_port, kOurPort, 1001, answer[0].seq + 2, Segment::kAck | Segment::kFin});
    (void)segments();
  }
  EXPECT_EQ(stack->read().syn_refused, 0U);
  // One of the last ones still answers a FIN that comes again; the first ones are forgotten, and say so.
  arrive(Segment{5099, kOurPort, 1001, 0, Segment::kAck | Segment::kFin});
  arrive(Segment{5000, kOurPort, 1001, 0, Segment::kAck | Segment::kFin});
  const auto out = segments();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].flags, Segment::kAck);
  EXPECT_NE(out[1].flags & Segment::kRst, 0);
}

// Its IP header says that it is shorter than any, and the frame ends where the addresses would be.
TEST_F(LwipTcp, looks_no_further_into_a_syn_than_there_is_frame) {
  establish();
  Frame cut_off = ether(kOurMac, 0x0800, Frame(14, std::byte{0}));
  cut_off[14] = std::byte{0x40};
  cut_off[14 + 9] = std::byte{Segment::kProtocol};
  cut_off[14 + 13] = std::byte{Segment::kSyn};
  arrive(cut_off);
  EXPECT_TRUE(segments().empty());
}

// A client that is done soon uses its port again, long before our end has waited out its time.
TEST_F(LwipTcp, begins_anew_from_a_port_whose_last_connection_waits_out_its_time) {
  establish();
  side.held->close();
  (void)segments();
  ++ack;
  arrive(from_peer(Segment::kAck | Segment::kFin));
  (void)segments();
  arrive(Segment{kTheirPort, kOurPort, seq, 0, Segment::kSyn});
  auto out = segments();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].flags, Segment::kAck) << "one that is no newer is of the old connection";
  arrive(Segment{kTheirPort, kOurPort, seq + 5000, 0, Segment::kSyn});
  out = segments();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].flags, Segment::kSyn | Segment::kAck);
  EXPECT_EQ(out[0].ack, seq + 5001);
  arrive(Segment{kTheirPort, kOurPort, seq + 5001, out[0].seq + 1, Segment::kAck});
  EXPECT_EQ(side.arrived, 2);
}

// RFC 5961, 3 to 5, as far as lwIP 2.1.3 has it; docs/lwip.md says so.
TEST_F(LwipTcp, answers_blind_spoofers_with_an_ack) {
  establish();
  Segment spoofed = from_peer(Segment::kRst);
  spoofed.seq += 1000;  // in the window
  for (const std::uint8_t flags : {Segment::kRst, Segment::kSyn}) {
    spoofed.flags = flags;
    arrive(spoofed);
    const auto out = segments();
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].flags, Segment::kAck);
    EXPECT_EQ(out[0].ack, seq);
  }
  Segment early = from_peer(Segment::kAck | Segment::kPsh, text("x"));
  early.ack += 1'000'000;
  arrive(early);
  EXPECT_EQ(side.received, text("x")) << "section 5 is not there";
  EXPECT_EQ(side.failed, 0);
}

}  // namespace
