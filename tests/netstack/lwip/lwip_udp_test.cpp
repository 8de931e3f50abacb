// SPDX-License-Identifier: BSD-2-Clause
// Datagrams with a peer written by hand.
#include "netstack/lwip/lwip_udp.hpp"

#include "tests/netstack/lwip/lwip_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using net::lwip::UdpEvents;
using net::lwip::UdpSocket;

constexpr std::uint8_t kProtocolUdp = 17;

Frame udp(std::uint16_t src_port, std::uint16_t dst_port, const Frame& data) {
  const Frame header = be16(src_port) + be16(dst_port) + be16(static_cast<std::uint32_t>(8 + data.size())) + be16(0);
  return transport(kPeer, kUs, kProtocolUdp, header + data, 6);
}

struct Heard final : UdpEvents {
  void udp_received(UdpSocket&, const Endpoint& from, Bytes datagram) override {
    peers.push_back(from);
    data.emplace_back(datagram.begin(), datagram.end());
    if (then) then();
  }
  std::vector<Endpoint> peers;
  std::vector<Frame> data;
  std::function<void()> then;
};

class LwipUdp : public LwipRig {
 protected:
  void TearDown() override { socket.reset(); }

  Heard heard;
  std::unique_ptr<UdpSocket> socket = std::move(*UdpSocket::open(*stack, {net::inet::kAny4, 7}, heard));
};

TEST_F(LwipUdp, carries_datagrams_both_ways) {
  arrive_ip(ip4(kPeer, kUs, udp(4000, 7, text("hello")), {.protocol = kProtocolUdp}));
  ASSERT_EQ(heard.data, std::vector<Frame>{text("hello")});
  EXPECT_EQ(heard.peers[0], (Endpoint{kPeer, 4000}));
  ASSERT_EQ(error_of(socket->send_to({kPeer, 4000}, text("back"))), 0);
  const auto out = sent();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(cut(payload_of(out[0]), 28, 4), text("back"));
}

TEST_F(LwipUdp, puts_fragments_together) {
  const Frame data = counting(2000);
  const Frame whole = udp(4000, 7, data);
  arrive_ip(ip4(kPeer, kUs, cut(whole, 1480), {.protocol = kProtocolUdp, .id = 9, .fragment = 185}));
  EXPECT_TRUE(heard.data.empty());
  arrive_ip(ip4(kPeer, kUs, cut(whole, 0, 1480), {.protocol = kProtocolUdp, .id = 9, .fragment = 0x2000}));
  ASSERT_EQ(heard.data.size(), 1U);
  EXPECT_EQ(heard.data[0], data);
}

TEST_F(LwipUdp, may_end_with_half_a_datagram) {
  arrive_ip(ip4(kPeer, kUs, counting(1480), {.protocol = kProtocolUdp, .id = 9, .fragment = 0x2000}));
  EXPECT_TRUE(heard.data.empty());
}

TEST_F(LwipUdp, says_what_it_cannot_send) {
  EXPECT_EQ(error_of(socket->send_to({kPeer, 4000}, Frame(65'508))), EMSGSIZE);
  EXPECT_EQ(error_of(socket->send_to({IpAddress::v4(203, 0, 113, 9), 1}, text("x"))), EHOSTUNREACH) << "no gateway";
  EXPECT_EQ(UdpSocket::open(*stack, {net::inet::kAny4, 7}, heard).error().number(), EADDRINUSE);
}

TEST_F(LwipUdp, may_be_destroyed_by_what_it_calls) {
  heard.then = [&] { socket.reset(); };
  arrive_ip(ip4(kPeer, kUs, udp(4000, 7, text("x")), {.protocol = kProtocolUdp}));
  EXPECT_EQ(heard.data.size(), 1U);
}

}  // namespace
