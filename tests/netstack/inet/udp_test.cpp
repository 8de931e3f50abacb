// SPDX-License-Identifier: BSD-2-Clause
// UDP sockets and what becomes of datagrams: RFC 768, RFC 1122, 4.1; fragments of them: RFC 791, RFC 5722.
#include "netstack/inet/udp.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;
using net::inet::UdpSocket;

class UdpHost : public InetRig {
 protected:
  void SetUp() override {
    configure("192.0.2.1/24");
    know_peer();
    socket = std::move(*inet->open_udp({.port = 7000}));
  }
  void TearDown() override { socket.reset(); }
  void arrive_udp(const Frame& data, std::uint16_t port = 7000) {
    arrive_ip(ip4(kPeer, kUs, udp(kPeer, 5000, kUs, port, data), {.protocol = 17}));
  }
  // The fragments of a datagram to port 7000, as `cut_at` (multiples of 8) says.
  std::vector<Frame> fragments(const Frame& data, const std::vector<std::size_t>& cut_at, std::uint16_t id = 9) {
    const Frame whole = udp(kPeer, 5000, kUs, 7000, data);
    std::vector<Frame> packets;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= cut_at.size(); ++i) {
      const std::size_t to = i < cut_at.size() ? cut_at[i] : whole.size();
      const auto field = static_cast<std::uint16_t>(from / 8 | (i < cut_at.size() ? 0x2000 : 0));
      packets.push_back(ip4(kPeer, kUs, cut(whole, from, to - from), {.protocol = 17, .id = id, .fragment = field}));
      from = to;
    }
    return packets;
  }
  std::unique_ptr<UdpSocket> socket;
};

TEST_F(UdpHost, gives_a_datagram_to_its_socket) {
  int calls = 0;
  socket->on_readable([&] { ++calls; });
  arrive_udp(counting(100));
  EXPECT_EQ(calls, 1);
  const auto got = socket->receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(flat(*got->payload), counting(100));
  EXPECT_EQ(got->from, kPeer);
  EXPECT_EQ(got->from_port, 5000);
  EXPECT_EQ(got->to, kUs);
  EXPECT_EQ(got->in, &ifp());
  EXPECT_FALSE(socket->receive());
}

TEST_F(UdpHost, sends_with_a_checksum) {
  ASSERT_TRUE(socket->send_to(Bytes(counting(33)), {.address = kPeer, .port = 53}));
  const Frame packet = payload_of(sent_one());
  EXPECT_EQ(packet,
            ip4(kUs, kPeer, udp(kUs, 7000, kPeer, 53, counting(33)), {.protocol = 17, .id = be16_at(packet, 4)}));
}

TEST_F(UdpHost, drops_what_is_damaged_short_or_unwanted) {
  Frame damaged = udp(kPeer, 5000, kUs, 7000, counting(9));
  damaged.back() ^= std::byte{1};
  arrive_ip(ip4(kPeer, kUs, damaged, {.protocol = 17}));
  EXPECT_EQ(dropped(InetDrop::bad_checksum), 1U);
  arrive(ether(kOurMac, 0x0800, ip4(kPeer, kUs, damaged, {.protocol = 17})), 0, {.flags = net::Offload::kDataValid});
  EXPECT_TRUE(socket->receive()) << "the link answers for it";
  put16(damaged, 6, 0);
  arrive_ip(ip4(kPeer, kUs, damaged, {.protocol = 17}));
  EXPECT_TRUE(socket->receive()) << "IPv4 may go without";
  arrive_ip(ip4(kPeer, kUs, counting(7), {.protocol = 17}));
  put16(damaged, 4, 200);
  arrive_ip(ip4(kPeer, kUs, damaged, {.protocol = 17}));
  EXPECT_EQ(dropped(InetDrop::malformed), 2U);
  const Frame unwanted = ip4(kPeer, kUs, udp(kPeer, 5000, kUs, 7001, counting(9)), {.protocol = 17});
  arrive_ip(unwanted);
  const Frame answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 20), icmp(3, 3, 0, unwanted));
  EXPECT_EQ(dropped(InetDrop::no_socket), 1U);
}

TEST_F(UdpHost, keeps_256_datagrams_for_a_slow_reader) {
  for (int i = 0; i < 260; ++i) arrive_udp(counting(1));
  EXPECT_EQ(dropped(InetDrop::socket_full), 4U);
}

TEST_F(UdpHost, cuts_a_received_super_frame_into_its_datagrams) {
  const Frame packet = ip4(kPeer, kUs, udp(kPeer, 5000, kUs, 7000, counting(2500)), {.protocol = 17});
  net::MbufPtr frame = domain.pool().copy_in(ether(kOurMac, 0x0800, packet));
  frame->pkthdr.offload = {.flags = net::Offload::kNeedsChecksum,
                           .gso_type = net::Offload::kGsoUdpL4,
                           .gso_size = 1000,
                           .csum_start = 34,
                           .csum_offset = 6};
  ifp().input(std::move(frame));
  Frame all;
  for (const std::size_t bytes : {1000U, 1000U, 500U}) {
    const auto got = socket->receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->payload->pkthdr.len, bytes);
    all = all + flat(*got->payload);
  }
  EXPECT_EQ(all, counting(2500));
  EXPECT_EQ(inet->read().cut, 2U);
}

TEST_F(UdpHost, refuses_a_super_frame_of_too_many_datagrams) {
  const Frame packet = ip4(kPeer, kUs, udp(kPeer, 5000, kUs, 7000, Frame(8193)), {.protocol = 17});
  net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                       .gso_type = net::Offload::kGsoUdpL4,
                       .gso_size = 2,
                       .csum_start = 34,
                       .csum_offset = 6};
  arrive(ether(kOurMac, 0x0800, packet), 0, offload);
  EXPECT_EQ(dropped(InetDrop::bad_offload), 1U);
  EXPECT_FALSE(socket->receive());
  offload.gso_size = 3;
  arrive(ether(kOurMac, 0x0800, packet), 0, offload);
  EXPECT_EQ(dropped(InetDrop::bad_offload), 1U);
  EXPECT_EQ(socket->receive()->payload->pkthdr.len, 3U);
}

TEST_F(UdpHost, believes_no_error_about_what_it_did_not_send) {
  ASSERT_TRUE(socket->send_to(Bytes(counting(5)), {.address = kPeer, .port = 53}));
  const Frame ours = cut(payload_of(sent_one()), 0, 28);
  Frame other_port = ours, other_source = ours, other_protocol = ours, unquoted = cut(ours, 0, 23);
  put16(other_port, 22, 54);
  put16(other_source, 20, 7001);
  other_protocol[9] = std::byte{6};
  for (const Frame& quoted : {other_port, other_source, other_protocol, unquoted}) {
    arrive_ip(ip4(kPeer, kUs, icmp(3, 3, 0, quoted)));
    arrive_ip(ip4(kPeer, kUs, icmp(3, 4, 600, quoted)));
  }
  EXPECT_FALSE(socket->take_error());
  EXPECT_EQ(dropped(InetDrop::ignored), 8U);
  EXPECT_TRUE(socket->send_to(Bytes(counting(1472)), {.address = kPeer, .port = 53, .whole = true}))
      << "the path is as wide as before";
  (void)sent();
}

TEST_F(UdpHost, hears_that_a_port_is_closed_and_that_a_host_is_gone) {
  ASSERT_TRUE(socket->send_to(Bytes(counting(5)), {.address = kPeer, .port = 53}));
  arrive_ip(ip4(kPeer, kUs, icmp(3, 3, 0, cut(payload_of(sent_one()), 0, 28))));
  EXPECT_EQ(socket->take_error()->number(), ECONNREFUSED);
  EXPECT_FALSE(socket->take_error());
  ASSERT_TRUE(socket->send_to(Bytes(counting(5)), {.address = ip("192.0.2.99"), .port = 53}));
  run(4s);
  EXPECT_EQ(socket->take_error()->number(), EHOSTUNREACH);
  (void)sent();
}

TEST_F(UdpHost, says_why_it_cannot_open_or_send) {
  EXPECT_EQ(inet->open_udp({.port = 7000}).error().number(), EADDRINUSE);
  EXPECT_EQ(inet->open_udp({.address = kPeer, .port = 1}).error().number(), EADDRNOTAVAIL);
  EXPECT_GE((*inet->open_udp({}))->port(), 49152);
  EXPECT_EQ(error_of(socket->send_to(Bytes(counting(1)), {.address = kPeer, .port = 0})), EINVAL);
  EXPECT_EQ(error_of(socket->send_to(Bytes(counting(1)), {.address = ip("203.0.113.1"), .port = 1})), ENETUNREACH);
  EXPECT_EQ(error_of(socket->send_to(Bytes(counting(65508)), {.address = kPeer, .port = 1})), EMSGSIZE);
  EXPECT_EQ(error_of(socket->send_to(Bytes(counting(1473)), {.address = kPeer, .port = 1, .whole = true})), EMSGSIZE);
}

TEST_F(UdpHost, may_be_closed_from_its_own_call) {
  socket->on_readable([&] { socket.reset(); });
  arrive_udp(counting(1));
  EXPECT_FALSE(socket);
}

// --- fragments ---

TEST_F(UdpHost, puts_fragments_together_in_any_order) {
  std::vector<Frame> pieces = fragments(counting(3000), {800, 1600, 2400});
  std::sort(pieces.begin(), pieces.end());
  do {
    for (const Frame& piece : pieces) arrive_ip(piece);
    const auto got = socket->receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(flat(*got->payload), counting(3000));
  } while (std::next_permutation(pieces.begin(), pieces.end()));
  EXPECT_EQ(inet->read().fragments_waiting, 0U);
}

TEST_F(UdpHost, refuses_overlaps_whole_and_takes_repeats_once) {
  const std::vector<Frame> pieces = fragments(counting(100), {48, 96});
  arrive_ip(pieces[0]);
  arrive_ip(pieces[0]);
  EXPECT_EQ(dropped(InetDrop::bad_fragment), 1U);
  arrive_ip(fragments(counting(100), {40, 96})[1]);  // 40 to 96
  EXPECT_EQ(dropped(InetDrop::bad_fragment), 3U);
  arrive_ip(pieces[1]);
  arrive_ip(pieces[2]);
  EXPECT_FALSE(socket->receive());
  EXPECT_EQ(inet->read().fragments_waiting, 0U);
  arrive_ip(ip4(kPeer, kUs, counting(800), {.protocol = 17, .id = 77, .fragment = 8140}));  // the ping of death
  EXPECT_EQ(dropped(InetDrop::bad_fragment), 6U);
}

TEST_F(UdpHost, tells_the_sender_after_a_minute_that_fragments_are_missing) {
  arrive_ip(fragments(counting(100), {48})[0]);
  EXPECT_EQ(inet->read().fragments_waiting, 1U);
  run(59s);
  expect_silence();
  run(1s);
  const Frame answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 20, 2), hex("0b01"));
  EXPECT_EQ(dropped(InetDrop::fragment_timeout), 1U);
}

TEST_F(UdpHost, bounds_what_waits) {
  for (std::uint16_t id = 0; id < 200; ++id) arrive_ip(fragments(counting(100), {48}, id)[0]);
  EXPECT_EQ(inet->read().fragments_waiting, 64U);
  EXPECT_EQ(dropped(InetDrop::fragment_limit), 136U);
}

TEST_F(UdpHost, cuts_what_is_above_the_mtu_and_follows_the_path) {
  ASSERT_TRUE(socket->send_to(Bytes(counting(65507)), {.address = kPeer, .port = 53}));
  std::vector<Frame> frames = sent();
  EXPECT_EQ(frames.size(), 45U);
  Frame data;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame packet = payload_of(frames[i]);
    EXPECT_EQ(plain_checksum(cut(packet, 0, 20)), 0);
    EXPECT_EQ((be16_at(packet, 6) & 0x1fff) * 8U, data.size());
    EXPECT_EQ((be16_at(packet, 6) & 0x2000) != 0, i + 1 < frames.size());
    data = data + cut(packet, 20);
  }
  EXPECT_EQ(data, udp(kUs, 7000, kPeer, 53, counting(65507)));
  ASSERT_TRUE(socket->send_to(Bytes(counting(1472)), {.address = kPeer, .port = 53, .whole = true}));
  arrive_ip(ip4(kPeer, kUs, icmp(3, 4, 1000, cut(payload_of(sent_one()), 0, 28))));
  EXPECT_EQ(socket->take_error()->number(), EMSGSIZE);
  ASSERT_TRUE(socket->send_to(Bytes(counting(1472)), {.address = kPeer, .port = 53}));
  frames = sent();
  EXPECT_EQ(frames.size(), 2U);
  EXPECT_EQ(payload_of(frames[0]).size(), 996U);
  run(11min);
  ASSERT_TRUE(socket->send_to(Bytes(counting(1472)), {.address = kPeer, .port = 53}));
  EXPECT_EQ(sent().size(), 1U) << "after ten minutes it tries again";
}

TEST_F(UdpHost, answers_the_largest_ping) {
  const Frame echo = icmp(8, 0, 1, counting(65507));
  for (std::size_t at = 0; at < echo.size(); at += 1480) {
    const bool more = at + 1480 < echo.size();
    arrive_ip(
        ip4(kPeer, kUs, cut(echo, at, 1480), {.fragment = static_cast<std::uint16_t>(at / 8 | (more ? 0x2000 : 0))}));
  }
  Frame data;
  for (const Frame& frame : sent()) data = data + cut(payload_of(frame), 20);
  EXPECT_EQ(data, icmp(0, 0, 1, counting(65507)));
}

}  // namespace
}  // namespace vif::test
