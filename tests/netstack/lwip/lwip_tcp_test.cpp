// SPDX-License-Identifier: BSD-2-Clause
// TCP with a peer written by hand: what it sees on the wire, and what our callbacks hear.
#include "tests/netstack/lwip/lwip_tcp_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

TEST_F(LwipTcp, carries_bytes_both_ways_and_ends_in_order) {
  establish();
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("hello")));
  EXPECT_EQ(side.received, text("hello"));
  seq += 5;
  ASSERT_EQ(*side.held->write(text("world")), 5U);
  auto out = segments();
  ASSERT_FALSE(out.empty());
  EXPECT_EQ(out.back().data, text("world"));
  EXPECT_EQ(out.back().ack, seq);
  ack += 5;
  arrive(from_peer(Segment::kAck | Segment::kFin));
  EXPECT_EQ(side.finished, 1);
  side.held->close();
  out = segments();
  ASSERT_FALSE(out.empty());
  EXPECT_NE(out.back().flags & Segment::kFin, 0);
  EXPECT_EQ(side.failed, 0);
}

TEST_F(LwipTcp, closes_the_window_for_what_is_not_taken) {
  establish();
  side.appetite = 3;
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("hello")));
  EXPECT_EQ(side.received, text("hel"));
  seq += 5;
  arrive(from_peer(Segment::kAck | Segment::kPsh, text(" you")));
  EXPECT_EQ(side.received, text("hel")) << "what came later waits behind";
  side.appetite = SIZE_MAX;
  side.held->resume();
  EXPECT_EQ(side.received, text("hello you"));
}

TEST_F(LwipTcp, says_when_it_takes_more) {
  establish();
  const Frame much(200'000, std::byte{7});
  std::size_t written = 0;
  for (int rounds = 0; written < much.size() && rounds < 1000; ++rounds) {
    written += *side.held->write(Bytes(much).subspan(written));
    const int before = side.writable;
    for (const Segment& segment : segments()) ack += static_cast<std::uint32_t>(segment.data.size());
    arrive(from_peer(Segment::kAck));
    if (written < much.size()) {
      EXPECT_GT(side.writable, before);
    }
  }
  EXPECT_EQ(written, much.size());
}

TEST_F(LwipTcp, may_be_destroyed_by_what_it_calls) {
  establish();
  side.then = [&] { side.held.reset(); };
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("x")));
  const auto out = segments();
  ASSERT_FALSE(out.empty());
  EXPECT_NE(out.back().flags & Segment::kRst, 0) << "the peer is told";
}

TEST_F(LwipTcp, ends_in_order_when_closed_by_what_it_calls) {
  establish();
  side.then = [&] {
    EXPECT_EQ(*side.held->write(text("bye")), 3U);
    side.held->close();
  };
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("x")));
  Frame said;
  int flags = 0;
  for (const Segment& segment : segments()) {
    said = said + segment.data;
    flags |= segment.flags;
  }
  EXPECT_EQ(said, text("bye"));
  EXPECT_EQ(flags & (Segment::kFin | Segment::kRst), Segment::kFin);
}

TEST_F(LwipTcp, may_be_refused) {
  side.refuse = true;
  listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny4, kOurPort}, side));
  arrive(Segment{kTheirPort, kOurPort, 1000, 0, Segment::kSyn});
  ack = segments().at(0).seq + 1;
  seq = 1001;
  arrive(from_peer(Segment::kAck));
  EXPECT_EQ(side.arrived, 1);
  EXPECT_NE(segments().at(0).flags & Segment::kRst, 0);
}

TEST_F(LwipTcp, says_that_nobody_answers) {
  auto connection = TcpConnection::connect(*stack, {kPeer, 9}, side);
  ASSERT_TRUE(connection) << connection.error().text;
  EXPECT_EQ(segments().at(0).flags, Segment::kSyn);
  run(std::chrono::minutes(5));
  EXPECT_EQ(side.failed, ECONNABORTED);
  EXPECT_GT(segments().size(), 3U) << "it tried again";
  EXPECT_EQ((*connection)->write(text("x")).error().number(), ENOTCONN);
}

TEST_F(LwipTcp, says_that_it_was_refused) {
  auto connection = TcpConnection::connect(*stack, {kPeer, 9}, side);
  ASSERT_TRUE(connection);
  const Segment syn = segments().at(0);
  arrive(Segment{9, syn.src_port, 0, syn.seq + 1, Segment::kRst | Segment::kAck, 0});
  EXPECT_EQ(side.failed, ECONNRESET);
}

TEST_F(LwipTcp, reads_a_super_frame_with_an_open_checksum) {
  establish();
  const Frame much(20'000, std::byte{5});
  Frame packet = tcp(kPeer, kUs, from_peer(Segment::kAck | Segment::kPsh, much));
  // As a TAP hands it over: over the pseudo-header only.
  const Frame pseudo = address_bytes(kPeer) + address_bytes(kUs) + Frame{std::byte{0}, std::byte{6}} + be16(20'020);
  put16(packet, 20 + 16, static_cast<std::uint16_t>(~plain_checksum(pseudo)));
  arrive_ip(packet, {.flags = net::Offload::kNeedsChecksum,
                     .gso_type = net::Offload::kGsoTcp4,
                     .hdr_len = 54,
                     .gso_size = 1460,
                     .csum_start = 34,
                     .csum_offset = 16});
  EXPECT_EQ(side.received, much);
}

TEST_F(LwipTcp, tells_late_hearers_of_the_end) {
  side.hears = false;
  establish();
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("x")));
  seq += 1;
  arrive(from_peer(Segment::kRst | Segment::kAck));
  side.held->hear(side);
  EXPECT_EQ(side.received, text("x"));
  EXPECT_EQ(side.failed, ECONNRESET);
}

TEST_F(LwipTcp, gives_what_it_borrowed_back_and_has_one_stack_a_process) {
  EXPECT_EQ(LwipStack::create(domain, {}).error().number(), EBUSY);
  EXPECT_EQ(error_of(stack->attach(ifp())), EEXIST);
  EXPECT_EQ(error_of(stack->add_address(ifp(), prefix("224.0.0.1/4"))), EINVAL);
  EXPECT_EQ(error_of(stack->detach(ifp())), 0);
  EXPECT_EQ(error_of(stack->detach(ifp())), ENXIO);
  EXPECT_TRUE(ifp().groups().entries().empty()) << "what lwIP joined is left";
}

TEST_F(LwipTcp, says_how_it_stands) {
  establish();
  TcpInfo info = side.held->read();
  EXPECT_EQ(info.state, TcpState::established);
  EXPECT_EQ(info.peer_window, 60'000U);
  ASSERT_EQ(*side.held->write(text("12345")), 5U);
  EXPECT_EQ(side.held->read().unacked, 5U);
  side.appetite = 0;
  arrive(from_peer(Segment::kAck | Segment::kPsh, text("abc")));
  EXPECT_EQ(side.held->read().unread, 3U);
  run(std::chrono::seconds(10));
  info = side.held->read();
  EXPECT_GT(info.retransmits, 1U);
  EXPECT_GT(info.rto_ms, 1000U);
}

TEST_F(LwipTcp, is_treated_as_its_options_say) {
  establish();
  side.held->set({.no_delay = true, .ttl = 7, .tos = 0x20});
  ASSERT_EQ(*side.held->write(text("a")), 1U);
  ASSERT_EQ(*side.held->write(text("b")), 1U);
  const std::vector<Frame> frames = sent();
  ASSERT_EQ(frames.size(), 2U) << "the second one waited for an ACK";
  EXPECT_EQ(payload_of(frames[0])[8], std::byte{7});
  EXPECT_EQ(payload_of(frames[0])[1], std::byte{0x20});
}

TEST_F(LwipTcp, connects_from_a_port_of_ones_own) {
  auto made = TcpConnection::connect(*stack, {kUs, 4321}, {kPeer, kTheirPort}, side);
  ASSERT_TRUE(made) << made.error().text;
  const auto syns = segments();
  ASSERT_EQ(syns.size(), 1U);
  EXPECT_EQ(syns[0].src_port, 4321);
  EXPECT_EQ((*made)->local(), (Endpoint{kUs, 4321}));
  const auto again = TcpConnection::connect(*stack, {kUs, 4321}, {kPeer, kTheirPort}, side);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().number(), EADDRINUSE);
}

}  // namespace
