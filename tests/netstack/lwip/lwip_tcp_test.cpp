// SPDX-License-Identifier: BSD-2-Clause
// TCP with a peer written by hand: what it sees on the wire, and what our callbacks hear.
#include "tests/netstack/lwip/lwip_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using net::lwip::TcpAcceptor;
using net::lwip::TcpConnection;
using net::lwip::TcpEvents;
using net::lwip::TcpListener;

constexpr std::uint16_t kTheirPort = 4000, kOurPort = 80;

// Keeps what comes, and does with it what the test says.
struct Side final : TcpEvents, TcpAcceptor {
  void tcp_arrived(std::unique_ptr<TcpConnection> connection) override {
    ++arrived;
    if (refuse) return;
    held = std::move(connection);
    if (hears) held->hear(*this);
  }
  void tcp_connected(TcpConnection&) override { ++connected; }
  std::size_t tcp_received(TcpConnection&, Bytes bytes) override {
    const std::size_t taken = std::min(bytes.size(), appetite);
    received.insert(received.end(), bytes.begin(), bytes.begin() + static_cast<long>(taken));
    appetite -= taken;
    if (then) then();
    return taken;
  }
  void tcp_finished(TcpConnection&) override { ++finished; }
  void tcp_writable(TcpConnection&) override { ++writable; }
  void tcp_failed(TcpConnection&, const Error& why) override { failed = why.number(); }

  std::unique_ptr<TcpConnection> held;
  bool refuse = false, hears = true;
  std::size_t appetite = SIZE_MAX;
  std::function<void()> then;
  int arrived = 0, connected = 0, finished = 0, writable = 0, failed = 0;
  Frame received;
};

class LwipTcp : public LwipRig {
 protected:
  // The peer connects; from here on `seq` and `ack` are what it sends.
  void establish() {
    listener = std::move(*TcpListener::listen(*stack, {net::inet::kAny4, kOurPort}, side));
    arrive(Segment{kTheirPort, kOurPort, 1000, 0, Segment::kSyn});
    const auto answer = segments();
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].flags, Segment::kSyn | Segment::kAck);
    EXPECT_EQ(answer[0].ack, 1001U);
    seq = 1001;
    ack = answer[0].seq + 1;
    arrive(from_peer(Segment::kAck));
    ASSERT_EQ(side.arrived, 1);
    (void)segments();
  }
  Segment from_peer(std::uint8_t flags, const Frame& data = {}) const {
    return {kTheirPort, kOurPort, seq, ack, flags, 60'000, data};
  }

  Side side;
  std::unique_ptr<TcpListener> listener;
  std::uint32_t seq = 0, ack = 0;
  struct Last {
    Side& side;
    std::unique_ptr<TcpListener>& listener;
    ~Last() {
      side.held.reset();
      listener.reset();
    }
  } last{side, listener};
};

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

TEST_F(LwipTcp, gives_what_it_borrowed_back_and_has_one_stack_a_process) {
  EXPECT_EQ(LwipStack::create(domain, {}).error().number(), EBUSY);
  EXPECT_EQ(error_of(stack->attach(ifp())), EEXIST);
  EXPECT_EQ(error_of(stack->add_address(ifp(), prefix("224.0.0.1/4"))), EINVAL);
  EXPECT_EQ(error_of(stack->detach(ifp())), 0);
  EXPECT_EQ(error_of(stack->detach(ifp())), ENXIO);
  EXPECT_TRUE(ifp().groups().entries().empty()) << "what lwIP joined is left";
}

}  // namespace
