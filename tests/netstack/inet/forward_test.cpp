// SPDX-License-Identifier: BSD-2-Clause
// A router between two links: RFC 1812, 5.2 and 5.3; RFC 4443.
#include "netstack/inet/forward.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

const IpAddress kFar = ip("198.51.100.2"), kNear6 = ip("2001:db8::2"), kFar6 = ip("2001:db8:1::2");
constexpr net::MacAddress kFarMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x0a}};

class Router : public InetRig {
 protected:
  Router() : InetRig({.ip6 = true, .forwarding = true}) { add_port({{0x02, 0x00, 0x5e, 0x10, 0x00, 0x09}}); }
  void SetUp() override {
    configure("192.0.2.1/24");
    configure("2001:db8::1/64");
    configure("198.51.100.1/24", 1);
    configure("2001:db8:1::1/64", 1);
    know_peer();
    know_peer(kNear6);
    know_peer(kFar, kFarMac, 1);
    know_peer(kFar6, kFarMac, 1);
  }
};

TEST_F(Router, passes_a_packet_on_with_one_hop_less) {
  const Frame packet = ip4(kPeer, kFar, counting(50), {.protocol = 6, .ttl = 9, .options = hex("01010101")});
  arrive_ip(packet);
  Frame frame = sent_one(1);
  EXPECT_EQ(header_of(frame).dst, kFarMac);
  EXPECT_EQ(payload_of(frame), ip4(kPeer, kFar, counting(50), {.protocol = 6, .ttl = 8, .options = hex("01010101")}));
  arrive_ip(ip6(kNear6, kFar6, 6, counting(50), 9));
  EXPECT_EQ(payload_of(sent_one(1)), ip6(kNear6, kFar6, 6, counting(50), 8));
  EXPECT_EQ(inet->read().forwarded, 2U);
}

TEST_F(Router, says_when_hops_are_used_up_and_when_there_is_no_way) {
  arrive_ip(ip4(kPeer, kFar, counting(50), {.protocol = 6, .ttl = 1}));
  EXPECT_EQ(cut(payload_of(sent_one()), 20, 2), hex("0b00"));
  arrive_ip(ip4(kPeer, ip("203.0.113.1"), counting(50), {.protocol = 6}));
  EXPECT_EQ(cut(payload_of(sent_one()), 20, 2), hex("0300"));
  arrive_ip(ip6(kNear6, kFar6, 6, counting(50), 1));
  EXPECT_EQ(cut(payload_of(sent_one()), 40, 2), hex("0300"));
  arrive_ip(ip6(kNear6, ip("2001:db8:7::1"), 6, counting(50)));
  EXPECT_EQ(cut(payload_of(sent_one()), 40, 2), hex("0100"));
  EXPECT_EQ(dropped(InetDrop::hops_exceeded) + dropped(InetDrop::no_route), 4U);
}

TEST_F(Router, cuts_or_says_that_a_packet_is_too_big) {
  ASSERT_TRUE(ifp(1).ioctl(net::SetMtu{1280}));
  arrive_ip(ip4(kPeer, kFar, counting(1400), {.protocol = 6}));
  EXPECT_EQ(sent(1).size(), 2U);
  arrive_ip(ip4(kPeer, kFar, counting(1400), {.protocol = 6, .fragment = 0x4000}));
  Frame answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 20, 2) + cut(answer, 24, 4), hex("0304 00000500"));
  arrive_ip(ip6(kNear6, kFar6, 6, counting(1400)));
  answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 40, 2) + cut(answer, 44, 4), hex("0200 00000500"));
}

// Its gso_size is beyond the MTU, the packet is not: there is nothing to cut.
TEST_F(Router, passes_a_super_frame_on_that_is_shorter_than_one_segment) {
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoUdpL4,
                             .gso_size = 2000,
                             .csum_start = 34,
                             .csum_offset = 6};
  const Frame without_payload = ip4(kPeer, kFar, {}, {.protocol = 17});
  arrive(ether(kOurMac, 0x0800, without_payload + Frame(26)), 0, offload);
  EXPECT_EQ(ifp(1).counters.read().dropped(DropReason::tx_offload), 1U) << "it has no UDP header";
  expect_silence(1);
  arrive(ether(kOurMac, 0x0800, ip4(kPeer, kFar, udp(kPeer, 7, kFar, 9, counting(20)), {.protocol = 17})), 0, offload);
  EXPECT_EQ(cut(payload_of(sent_one(1)), 28), counting(20));
  arrive(ether(kOurMac, 0x86dd, ip6(kNear6, kFar6, 17, {}) + Frame(6)), 0, offload);
  expect_silence(1);
  EXPECT_EQ(inet->read().forwarded, 3U);
  EXPECT_EQ(inet->read().fragmented, 0U);
}

TEST_F(Router, tells_the_sender_that_a_host_does_not_answer) {
  arrive_ip(ip4(kPeer, ip("198.51.100.77"), counting(50), {.protocol = 6}));
  run(4s);
  EXPECT_EQ(cut(payload_of(sent_one()), 20, 2), hex("0301"));
  EXPECT_EQ(sent(1).size(), 3U);
}

TEST_F(Router, keeps_what_is_for_one_link_there) {
  arrive_ip(ip4(kPeer, ip("198.51.100.255"), counting(50), {.protocol = 6}));
  arrive_ip(ip4(ip("169.254.1.1"), kFar, counting(50), {.protocol = 6}));
  arrive_ip(ip6(ip("fe80::5"), kFar6, 6, counting(50)));
  arrive(ether(net::kBroadcast, 0x0800, ip4(kPeer, kFar, counting(50), {.protocol = 6})));
  expect_silence(1);
  EXPECT_EQ(dropped(InetDrop::not_forwardable), 4U);
}

}  // namespace
}  // namespace vif::test
