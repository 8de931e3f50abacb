// SPDX-License-Identifier: BSD-2-Clause
// Echo and the errors we send: RFC 792, RFC 1122, 3.2.2.
#include "netstack/inet/icmp4.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

class Icmp4Host : public InetRig {
 protected:
  void SetUp() override {
    configure("192.0.2.1/24");
    know_peer();
  }
  static Frame echo(const Frame& payload) { return icmp(8, 0, 0x4711'0001, payload); }
};

TEST_F(Icmp4Host, answers_an_echo_of_any_length_with_the_same_bytes) {
  for (const std::size_t bytes : {0U, 1U, 2U, 55U, 56U, 100U, 1471U, 1472U}) {
    const Frame payload = counting(bytes);
    arrive_ip(ip4(kPeer, kUs, echo(payload), {.tos = 0x10}));
    const Frame frame = sent_one();
    EXPECT_EQ(header_of(frame).dst, kPeerMac);
    const std::uint16_t id = be16_at(frame, 14 + 4);
    EXPECT_EQ(cut(payload_of(frame), 0, 28 + bytes),
              ip4(kUs, kPeer, icmp(0, 0, 0x4711'0001, payload), {.ttl = 255, .tos = 0x10, .id = id}))
        << bytes;
  }
  EXPECT_EQ(inet->read().delivered, 8U);
}

// A receiver that adds up a message of zeros alone gets 0, which is not right: Linux drops it.
TEST_F(Icmp4Host, answers_an_echo_of_zeros_with_a_checksum_that_adds_up) {
  arrive_ip(ip4(kPeer, kUs, icmp(8, 0, 0, {})));
  EXPECT_EQ(cut(payload_of(sent_one()), 20, 8), hex("0000 ffff 00000000"));
}

TEST_F(Icmp4Host, answers_however_the_request_is_cut_into_mbufs) {
  const Frame frame = ether(kOurMac, 0x0800, ip4(kPeer, kUs, echo(counting(64)), {.options = hex("94040000")}));
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 20U, 33U, 64U}) {
    net::MbufPtr packet = chain(domain.pool(), frame, piece);
    ifp().input(std::move(packet));
    const Frame answer = payload_of(sent_one());
    EXPECT_EQ(cut(answer, 20), icmp(0, 0, 0x4711'0001, counting(64))) << piece;
  }
}

TEST_F(Icmp4Host, ignores_an_echo_to_a_group_and_one_from_nobody) {
  ASSERT_TRUE(inet->join(ifp(), ip("224.1.2.3")));
  arrive(ether(net::kBroadcast, 0x0800, ip4(kPeer, ip("192.0.2.255"), echo({}))));
  arrive(ether(net::kBroadcast, 0x0800, ip4(kPeer, ip("255.255.255.255"), echo({}))));
  arrive(ether({{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}}, 0x0800, ip4(kPeer, ip("224.1.2.3"), echo({}))));
  arrive_ip(ip4(ip("0.0.0.0"), kUs, echo({})));
  (void)sent();
  EXPECT_EQ(dropped(InetDrop::ignored), 4U);
}

TEST_F(Icmp4Host, drops_damaged_short_and_unknown_messages) {
  Frame damaged = echo(counting(10));
  damaged.back() ^= std::byte{1};
  arrive_ip(ip4(kPeer, kUs, damaged));
  EXPECT_EQ(dropped(InetDrop::bad_checksum), 1U);
  arrive_ip(ip4(kPeer, kUs, cut(echo({}), 0, 7)));
  EXPECT_EQ(dropped(InetDrop::malformed), 1U);
  arrive_ip(ip4(kPeer, kUs, icmp(13, 0, 0, counting(12))));  // timestamp
  arrive_ip(ip4(kPeer, kUs, icmp(0, 0, 0, {})));             // a reply nobody waits for
  EXPECT_EQ(dropped(InetDrop::ignored), 2U);
  expect_silence();
}

TEST_F(Icmp4Host, says_which_protocol_it_does_not_speak) {
  const Frame packet = ip4(kPeer, kUs, counting(40), {.protocol = 132, .options = hex("01010101")});
  arrive_ip(packet);
  const Frame answer = payload_of(sent_one());
  EXPECT_EQ(answer, ip4(kUs, kPeer, icmp(3, 2, 0, packet), {.ttl = 255, .tos = 0xc0, .id = be16_at(answer, 4)}));
  EXPECT_EQ(dropped(InetDrop::unknown_protocol), 1U);
  EXPECT_EQ(inet->read().errors_sent, 1U);
}

TEST_F(Icmp4Host, quotes_no_more_than_makes_576_bytes) {
  const Frame packet = ip4(kPeer, kUs, counting(1400), {.protocol = 132});
  arrive_ip(packet);
  const Frame answer = payload_of(sent_one());
  EXPECT_EQ(answer.size(), 576U);
  EXPECT_EQ(cut(answer, 28), cut(packet, 0, 548));
}

TEST_F(Icmp4Host, sends_no_error_about_groups_errors_or_strangers) {
  know_peer(ip("224.0.0.5"));
  arrive(ether(net::kBroadcast, 0x0800, ip4(kPeer, ip("192.0.2.255"), counting(40), {.protocol = 132})));
  arrive(ether(net::kBroadcast, 0x0800, ip4(kPeer, kUs, counting(40), {.protocol = 132})));  // RFC 1122, 3.3.6
  arrive_ip(ip4(ip("0.0.0.0"), kUs, counting(40), {.protocol = 132}));
  expect_silence();
  EXPECT_EQ(dropped(InetDrop::unknown_protocol), 2U);
  EXPECT_EQ(dropped(InetDrop::ignored), 1U);
}

TEST_F(Icmp4Host, sends_fifty_errors_at_once_and_a_hundred_a_second) {
  const auto arrive_many = [&](int count) {
    for (int i = 0; i < count; ++i) arrive_ip(ip4(kPeer, kUs, counting(8), {.protocol = 132}));
    return sent().size();
  };
  EXPECT_EQ(arrive_many(60), 50U);
  EXPECT_EQ(inet->read().errors_suppressed, 10U);
  run(100ms);
  EXPECT_EQ(arrive_many(60), 10U);
  run(10s);
  EXPECT_EQ(arrive_many(60), 50U);
}

// --- ping of our own ---

struct Replies final : net::inet::EchoListener {
  void echo_replied(const net::inet::EchoReply& reply) override {
    EXPECT_EQ(reply.from, kPeer);
    EXPECT_EQ(reply.to, kUs);
    EXPECT_EQ(reply.id, 0x4711);
    EXPECT_EQ(reply.hops, 63);
    payloads.push_back(flat(reply.payload));
    sequences.push_back(reply.sequence);
  }
  std::vector<Frame> payloads;
  std::vector<std::uint16_t> sequences;
};

TEST_F(Icmp4Host, pings_and_hears_the_reply) {
  Replies replies;
  inet->listen(replies);
  const Frame payload = counting(33);
  ASSERT_TRUE(inet->ping({.to = kPeer, .id = 0x4711, .sequence = 5, .payload = payload, .hops = 9}));
  const Frame request = payload_of(sent_one());
  EXPECT_EQ(request, ip4(kUs, kPeer, icmp(8, 0, 0x4711'0005, payload), {.ttl = 9, .id = be16_at(request, 4)}));
  arrive_ip(ip4(kPeer, kUs, icmp(0, 0, 0x4711'0005, payload), {.ttl = 63}));
  EXPECT_EQ(replies.payloads, std::vector<Frame>{payload});
  EXPECT_EQ(replies.sequences, std::vector<std::uint16_t>{5});
  inet->unlisten(replies);
  arrive_ip(ip4(kPeer, kUs, icmp(0, 0, 0x4711'0005, payload)));
  EXPECT_EQ(replies.payloads.size(), 1U);
}

// RFC 5927, 4.1: who did not see our packets cannot quote one.
TEST_F(Icmp4Host, believes_no_error_about_an_echo_that_it_did_not_send) {
  const auto pieces = [&] {
    EXPECT_TRUE(inet->ping({.to = kPeer, .id = 0x4711, .sequence = 9, .payload = counting(1000)}));
    return sent().size();
  };
  ASSERT_TRUE(inet->ping({.to = kPeer, .id = 0x4711, .sequence = 5, .payload = counting(33)}));
  const Frame ours = cut(payload_of(sent_one()), 0, 28);
  Frame other_id = ours, other_sequence = ours, other_host = ours, reply = ours;
  put16(other_id, 24, 0x4712);
  put16(other_sequence, 26, 6);
  put16(other_host, 18, 0x0203);
  reply[20] = std::byte{0};
  for (const Frame& quoted : {other_id, other_sequence, other_host, reply, cut(ours, 0, 24)}) {
    arrive_ip(ip4(ip("198.51.100.66"), kUs, icmp(3, 4, 576, quoted)));
  }
  arrive_ip(ip4(kPeer, kUs, icmp(8, 0, 0x4711'0005, counting(9))));
  arrive_ip(ip4(kPeer, kUs, icmp(3, 4, 576, cut(payload_of(sent_one()), 0, 28))));
  EXPECT_EQ(dropped(InetDrop::ignored), 6U);
  EXPECT_EQ(pieces(), 1U);
  arrive_ip(ip4(kPeer, kUs, icmp(3, 4, 576, ours)));
  EXPECT_EQ(pieces(), 2U);
}

TEST_F(Icmp4Host, answers_its_own_ping_without_the_wire) {
  struct Count final : net::inet::EchoListener {
    void echo_replied(const net::inet::EchoReply& reply) override { from.push_back(reply.from); }
    std::vector<IpAddress> from;
  } count;
  inet->listen(count);
  ASSERT_TRUE(inet->ping({.to = kUs, .id = 1}));
  expect_silence();
  EXPECT_EQ(count.from, std::vector<IpAddress>{kUs});
  EXPECT_EQ(inet->read().looped, 2U);
  inet->unlisten(count);
}

TEST_F(Icmp4Host, says_why_it_cannot_ping) {
  EXPECT_EQ(error_of(inet->ping({.to = ip("203.0.113.1")})), ENETUNREACH);
  ASSERT_TRUE(ifp().ioctl(net::SetFlags{ifp().flags() & ~std::uint32_t{net::IFF_UP}}));
  EXPECT_EQ(error_of(inet->ping({.to = kPeer})), ENETDOWN);
  EXPECT_EQ(dropped(InetDrop::out_refused), 1U);
}

TEST_F(Icmp4Host, counts_an_answer_for_which_there_is_no_mbuf) {
  std::vector<net::MbufPtr> all;
  arrive(ether(kOurMac, 0x0800, ip4(kPeer, kUs, counting(8), {.protocol = 132})));
  (void)sent();
  ports[0]->wire.arrive(ether(kOurMac, 0x0800, ip4(kPeer, kUs, counting(8), {.protocol = 132})));
  for (net::MbufPtr m = domain.pool().get(100); m; m = domain.pool().get(100)) all.push_back(std::move(m));
  all.pop_back();  // one for the frame, none for the answer
  host.settle();
  EXPECT_EQ(dropped(InetDrop::out_no_mbuf), 1U);
}

}  // namespace
}  // namespace vif::test
