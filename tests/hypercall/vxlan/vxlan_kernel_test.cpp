// SPDX-License-Identifier: BSD-2-Clause
// Our end of a tunnel against Linux's: both ways, over IPv4 and IPv6, to the last byte of the MTU.
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include "tests/hypercall/vxlan/kernel_peer.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class KernelVxlan : public testing::TestWithParam<KernelPeer::Outer> {
 protected:
  void SetUp() override {
    VIF_NEEDS_NAMESPACE(peer);
    peer.connect(GetParam());
    ours.start(std::string("vxlan:") + GetParam().far + ",vni=7,local=" + GetParam().near);
  }
  // An echo request's identifier, sequence number and data, `bytes` in all.
  static Frame ping_of(std::size_t bytes) { return hex("beef 0001") + counting(bytes - 4); }

  KernelPeer peer;
  OurEnd ours;
  Station station{ours};
};

TEST_P(KernelVxlan, is_pinged_by_the_kernel) {
  RawSocket icmp = peer.over_there(RawSocket::icmp);
  const std::size_t largest = ours.mtu() - 20 - 4;
  for (const std::size_t bytes : {std::size_t{60}, largest}) {
    icmp.send("192.0.2.1", echo(ICMP_ECHO, ping_of(bytes)));
    Frames replies;
    station.wait_until([&] { return !(replies = icmp.receive()).empty(); });
    const Frame& packet = replies[0];
    EXPECT_EQ(Frame(packet.begin() + 24, packet.end()), ping_of(bytes)) << bytes;
  }
}

TEST_P(KernelVxlan, pings_the_kernel) {
  Frame mac(6);
  kOurMac.store(mac.data());
  ours.link.send(ether(net::kBroadcast, 0x0806,
                       hex("0001 0800 06 04 0001") + mac + kOurIp + hex("000000000000") + kKernelIp, kOurMac));
  station.wait_until([&] { return !station.arp_replies.empty(); });
  EXPECT_EQ(net::MacAddress::load(station.arp_replies[0].data() + 8), kKernelMac);
  const std::size_t largest = ours.mtu() - 20 - 4;
  for (const std::size_t bytes : {std::size_t{60}, largest}) {
    station.echo_replies.clear();
    EXPECT_EQ(ours.link.send(ip_frame(IPPROTO_ICMP, echo(ICMP_ECHO, ping_of(bytes)))).taken, 1U);
    station.wait_until([&] { return !station.echo_replies.empty(); });
    EXPECT_EQ(station.echo_replies[0], ping_of(bytes));
  }
}

// The interface's 1500 hold a frame of exactly this many bytes, in one packet that may not be fragmented.
TEST_P(KernelVxlan, fills_the_path_to_the_last_byte) {
  RawSocket cable = peer.over_there(RawSocket::cable);
  EXPECT_EQ(ours.mtu(), 1500 - GetParam().overhead_bytes);
  const std::uint32_t most = ours.link.link.caps.frame_bytes_max;
  EXPECT_EQ(most, ours.mtu() + 14);
  const std::size_t echo_bytes = most - 14 - 20 - 4;
  EXPECT_EQ(ours.link.send(ip_frame(IPPROTO_ICMP, echo(ICMP_ECHO, ping_of(echo_bytes + 1)))).status,
            drv::SendStatus::message_size);
  EXPECT_EQ(ours.link.send(ip_frame(IPPROTO_ICMP, echo(ICMP_ECHO, ping_of(echo_bytes)))).taken, 1U);
  const auto is_ours = [](const Frame& packet) {
    return packet.size() > 1000 && net::EtherHeader::load(packet.data()).type != 0x0806;
  };
  Frames seen;
  station.wait_until([&] {
    for (Frame& packet : cable.receive()) {
      if (is_ours(packet)) seen.push_back(std::move(packet));
    }
    return seen.size() == 2 && !station.echo_replies.empty();
  });
  ASSERT_EQ(station.echo_replies.size(), 1U);
  for (const Frame& packet : seen) {  // the request and the reply
    ASSERT_EQ(packet.size(), 1514U) << "one packet, as large as the interface takes";
    const std::byte* const ip = packet.data() + 14;
    if (GetParam().overhead_bytes == 50) {
      EXPECT_EQ(load_be16(ip + 6), 0x4000) << "don't fragment, no fragment";
    } else {
      EXPECT_EQ(ip[6], std::byte{IPPROTO_UDP}) << "no fragment header";
    }
  }
}

TEST_P(KernelVxlan, takes_trains_and_sends_many) {
  RawSocket udp = peer.over_there(RawSocket::udp);
  const host::UdpAddress port = *host::UdpAddress::parse("192.0.2.2:7000", 1);
  ASSERT_EQ(::bind(udp.fd(), port.get(), port.bytes()), 0);
  RawSocket icmp = peer.over_there(RawSocket::icmp);  // that the kernel learns our address
  icmp.send("192.0.2.1", echo(ICMP_ECHO, ping_of(60)));
  station.wait_until([&] { return !icmp.receive().empty(); });

  WireFrames burst;
  Frames payloads;
  for (unsigned i = 0; i < 150; ++i) {
    const Frame payload = be16(i) + counting(i % 50 == 7 ? 1000 : 1200);
    burst.push_back({ip_frame(IPPROTO_UDP, hex("1b58 1b58") + be16(8 + payload.size()) + hex("0000") + payload)});
    payloads.push_back(payload);
  }
  EXPECT_EQ(ours.link.send(burst).taken, burst.size());
  EXPECT_TRUE(udp.receive() == payloads);

  for (const Frame& payload : payloads) udp.send("192.0.2.1:7000", payload);
  const auto arrived = [&] {
    Frames all;
    for (const Frame& frame : station.others) {
      if (frame.size() > 1000) all.emplace_back(frame.begin() + 42, frame.end());
    }
    return all;
  };
  station.wait_until([&] { return arrived().size() == payloads.size(); });
  EXPECT_TRUE(arrived() == payloads);
}

INSTANTIATE_TEST_SUITE_P(Outer, KernelVxlan, testing::Values(KernelPeer::kV4, KernelPeer::kV6),
                         [](const auto& outer) { return std::string(outer.param.name); });

class KernelVxlan4 : public testing::Test {
 protected:
  void SetUp() override { VIF_NEEDS_NAMESPACE(peer); }

  KernelPeer peer;
  OurEnd ours;
};

TEST_F(KernelVxlan4, is_of_another_network) {
  peer.connect(KernelPeer::kV4, 8);
  ours.start("vxlan:10.0.0.2,vni=7");
  RawSocket icmp = peer.over_there(RawSocket::icmp);
  icmp.send("192.0.2.1", echo(ICMP_ECHO, hex("00000000")));
  ours.wait_until([&] { return ours.sink.lost(DropReason::other_network) > 0; });
  EXPECT_TRUE(ours.sink.frames.empty());
}

// A router on the way says that it is narrow (RFC 1191).
TEST_F(KernelVxlan4, hears_that_the_way_is_narrower) {
  peer.connect(KernelPeer::kV4);
  ours.start("vxlan:10.0.0.2,vni=7");
  RawSocket cable = peer.over_there(RawSocket::cable), icmp = peer.over_there(RawSocket::icmp);
  EXPECT_EQ(ours.link.send(ether(kKernelMac, 0x88b5, counting(1450))).taken, 1U);
  Frames seen;
  for (Frame& packet : cable.receive()) {
    if (packet.size() == 1514) seen.push_back(packet);
  }
  ASSERT_EQ(seen.size(), 1U);
  const Frame quoted(seen[0].begin() + 14, seen[0].begin() + 14 + 28);
  Frame message = hex("03 04 0000 0000") + be16(1400) + quoted;
  store_be16(message.data() + 2, checksum(message));
  icmp.send("10.0.0.1", message);
  ours.wait_until([&] { return ours.mtu() != 1450; });
  EXPECT_EQ(ours.mtu(), 1350U);
  EXPECT_EQ(ours.sink.lost(DropReason::tx_error), 1U) << "the one the router speaks of";
  for (int i = 0; i < 3; ++i) icmp.send("10.0.0.1", message);
  ours.wait_until([&] { return ours.round(); });
  EXPECT_EQ(ours.sink.lost(DropReason::tx_error), 1U) << "no more than were sent";
}

}  // namespace
