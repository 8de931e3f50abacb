// SPDX-License-Identifier: BSD-2-Clause
// ARP as its peers on the link see it: RFC 826, RFC 5227.
#include "netstack/inet/arp.hpp"

#include "tests/netstack/inet/arp_link.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

TEST_F(ArpLink, answers_a_request_for_its_address) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kUs}));
  EXPECT_EQ(sent_one(), arp({.operation = 2,
                             .sender_mac = kOurMac,
                             .sender = kUs,
                             .target = kPeer,
                             .target_mac = kPeerMac,
                             .to = kPeerMac}));
  ASSERT_TRUE(neighbour(kPeer));
  EXPECT_EQ(neighbour(kPeer)->mac, kPeerMac);
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::stale) << "heard from, not yet answered by";
}

TEST_F(ArpLink, answers_a_probe_for_its_address_and_learns_nothing_from_it) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = net::inet::kAny4, .target = kUs}));
  EXPECT_EQ(sent_one(), arp({.operation = 2,
                             .sender_mac = kOurMac,
                             .sender = kUs,
                             .target = net::inet::kAny4,
                             .target_mac = kPeerMac,
                             .to = kPeerMac}));
  EXPECT_TRUE(inet->neighbours(ifp()).empty());
}

TEST_F(ArpLink, neither_answers_nor_learns_from_what_is_between_others) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kThird}));
  expect_silence();
  EXPECT_TRUE(inet->neighbours(ifp()).empty());
  EXPECT_EQ(dropped(InetDrop::not_ours), 1U);
}

TEST_F(ArpLink, follows_a_neighbour_it_knows_to_another_address) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kUs}));
  arrive(arp({.sender_mac = kThirdMac, .sender = kPeer, .target = kPeer}));  // announces itself
  EXPECT_EQ(neighbour(kPeer)->mac, kThirdMac);
}

TEST_F(ArpLink, drops_what_is_not_whole_not_ethernet_or_from_a_group) {
  configure("192.0.2.1/24");
  Frame whole = arp({.sender = kPeer, .target = kUs});
  arrive(cut(whole, 0, 41));
  for (const auto& [at, value] : {std::pair{14U, 0x0006U}, {16U, 0x86ddU}, {18U, 0x0804U}, {18U, 0x0610U}}) {
    Frame wrong = whole;
    put16(wrong, at, static_cast<std::uint16_t>(value));
    arrive(wrong);
  }
  arrive(ether(net::kBroadcast, 0x0806, payload_of(arp({.sender_mac = kGroupMac, .sender = kPeer, .target = kUs}))));
  expect_silence();
  EXPECT_EQ(dropped(InetDrop::malformed), 6U);
}

TEST_F(ArpLink, is_mute_on_an_interface_without_arp) {
  configure("192.0.2.1/24");
  ASSERT_TRUE(ifp().ioctl(net::SetFlags{ifp().flags() | net::IFF_NOARP}));
  arrive(arp({.sender = kPeer, .target = kUs}));
  EXPECT_TRUE(ping(kThird));
  run(5s);
  expect_silence();
  EXPECT_EQ(dropped(InetDrop::ignored), 1U);
  EXPECT_EQ(dropped(InetDrop::out_unresolved), 1U);
}

TEST_F(ArpLink, answers_for_the_addresses_of_the_interface_asked_only) {
  add_port(kThirdMac);
  configure("192.0.2.1/24");
  configure("198.51.100.1/24", 1);
  arrive(arp({.sender = IpAddress::v4(198, 51, 100, 2), .target = kUs}), 1);
  expect_silence(1);
}

}  // namespace
}  // namespace vif::test
