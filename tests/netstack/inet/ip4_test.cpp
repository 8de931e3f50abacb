// SPDX-License-Identifier: BSD-2-Clause
// Which IPv4 packets are taken, and what is done with the rest: RFC 791, RFC 1122, 3.2.1.
#include "netstack/inet/ip4.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

class Ip4Input : public InetRig {
 protected:
  void SetUp() override {
    configure("192.0.2.1/24");
    know_peer();
  }
  static Frame echo() { return icmp(8, 0, 0x4711'0001, counting(20)); }
  bool answers(const Frame& packet) {
    arrive_ip(packet);
    return !sent().empty();
  }
};

TEST_F(Ip4Input, skips_options_and_cuts_padding) {
  EXPECT_TRUE(answers(ip4(kPeer, kUs, echo(), {.options = hex("44 08 05 00 00000000 01010100")})));
  const Frame padded = ip4(kPeer, kUs, icmp(8, 0, 1, {})) + Frame(18, std::byte{0xee});
  arrive_ip(padded);
  EXPECT_EQ(be16_at(payload_of(sent_one()), 2), 28) << "the answer is as long as the packet was";
}

TEST_F(Ip4Input, refuses_headers_that_cannot_be) {
  const Frame good = ip4(kPeer, kUs, echo());
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Frame wrong = good;
    wrong[at] = std::byte{value};
    put16(wrong, 10, 0);
    put16(wrong, 10, plain_checksum(cut(wrong, 0, 20)));
    return wrong;
  };
  for (const Frame& wrong :
       {cut(good, 0, 19), cut(good, 0, good.size() - 1), changed(0, 0x44), changed(0, 0x4f), changed(3, 19)}) {
    EXPECT_FALSE(answers(wrong));
  }
  arrive(ether(kOurMac, 0x0800, changed(0, 0x65)));
  EXPECT_EQ(dropped(InetDrop::malformed), 6U);
  Frame damaged = good;
  damaged[8] = std::byte{63};
  EXPECT_FALSE(answers(damaged));
  EXPECT_EQ(dropped(InetDrop::bad_checksum), 1U);
}

TEST_F(Ip4Input, refuses_sources_that_are_no_host) {
  for (const char* source : {"224.0.0.1", "255.255.255.255", "127.0.0.1", "240.0.0.1", "192.0.2.255", "0.1.2.3"}) {
    EXPECT_FALSE(answers(ip4(ip(source), kUs, echo()))) << source;
  }
  EXPECT_EQ(dropped(InetDrop::bad_address), 6U);
  EXPECT_FALSE(answers(ip4(kPeer, ip("127.0.0.1"), echo())));
  EXPECT_EQ(dropped(InetDrop::bad_address), 7U);
}

TEST_F(Ip4Input, takes_only_what_is_addressed_to_it) {
  EXPECT_FALSE(answers(ip4(kPeer, ip("192.0.2.77"), echo())));
  EXPECT_FALSE(answers(ip4(kPeer, ip("224.1.2.3"), echo())));
  EXPECT_EQ(dropped(InetDrop::not_ours), 2U);
}

TEST_F(Ip4Input, joins_all_systems_and_a_joined_group_and_leaves_it) {
  const net::MacAddress all_systems{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}};
  const net::MacAddress group{{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}};
  const auto in_filter = [&](const net::MacAddress& mac) {
    const auto& groups = ports[0]->wire.filter.groups;
    return std::find(groups.begin(), groups.end(), net::MacRange::single(mac)) != groups.end();
  };
  EXPECT_TRUE(in_filter(all_systems));
  ASSERT_TRUE(inet->join(ifp(), ip("224.1.2.3")));
  ASSERT_TRUE(inet->join(ifp(), ip("224.1.2.3")));
  EXPECT_TRUE(in_filter(group));
  arrive(ether(group, 0x0800, ip4(kPeer, ip("224.1.2.3"), counting(4), {.protocol = 200})));
  EXPECT_EQ(dropped(InetDrop::unknown_protocol), 1U);
  ASSERT_TRUE(inet->leave(ifp(), ip("224.1.2.3")));
  EXPECT_TRUE(in_filter(group)) << "counted";
  ASSERT_TRUE(inet->leave(ifp(), ip("224.1.2.3")));
  EXPECT_FALSE(in_filter(group));
  EXPECT_EQ(error_of(inet->leave(ifp(), ip("224.1.2.3"))), EADDRNOTAVAIL);
  EXPECT_EQ(error_of(inet->join(ifp(), kPeer)), EINVAL);
  (void)sent();
}

TEST_F(Ip4Input, bounds_the_groups_and_leaves_them_all_when_detached) {
  for (std::uint32_t i = 0; i < 255; ++i) {
    ASSERT_TRUE(inet->join(ifp(), IpAddress::v4(239U << 24 | i))) << i;
  }
  EXPECT_EQ(error_of(inet->join(ifp(), ip("239.9.9.9"))), ENOBUFS);
  ASSERT_TRUE(inet->detach(ifp()));
  EXPECT_TRUE(ifp().groups().entries().empty());
  (void)sent();
}

TEST_F(Ip4Input, takes_its_address_on_any_interface) {
  add_port({{0x02, 0x00, 0x5e, 0x10, 0x00, 0x09}});
  configure("198.51.100.1/24", 1);
  arrive_ip(ip4(kPeer, kUs, echo()), 1);
  EXPECT_EQ(sent(0).size(), 1U) << "and answers where the route leads";
}

TEST_F(Ip4Input, sends_by_the_longest_prefix_then_by_age) {
  add_port({{0x02, 0x00, 0x5e, 0x10, 0x00, 0x09}});
  configure("198.51.100.1/24", 1);
  know_peer(ip("198.51.100.9"), kPeerMac, 1);
  ASSERT_TRUE(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = kPeer}));
  ASSERT_TRUE(inet->add_route({.to = prefix("203.0.113.0/24"), .gateway = ip("198.51.100.9")}));
  ASSERT_TRUE(inet->ping({.to = ip("203.0.113.5")}));
  EXPECT_EQ(IpAddress::load4(sent_one(1).data() + 26), ip("198.51.100.1")) << "from the address of that interface";
  ASSERT_TRUE(inet->ping({.to = ip("203.0.112.5")}));
  EXPECT_EQ(header_of(sent_one(0)).dst, kPeerMac);
  ASSERT_TRUE(inet->remove_route({.to = prefix("203.0.113.0/24"), .gateway = ip("198.51.100.9")}));
  ASSERT_TRUE(inet->ping({.to = ip("203.0.113.5")}));
  EXPECT_EQ(sent(0).size(), 1U);
  EXPECT_EQ(error_of(inet->remove_route({.to = prefix("203.0.113.0/24"), .gateway = kPeer})), ESRCH);
  EXPECT_EQ(error_of(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = ip("172.16.0.1")})), ENETUNREACH);
  EXPECT_EQ(error_of(inet->add_route({.to = prefix("::/0"), .gateway = kPeer})), EINVAL);
}

TEST_F(Ip4Input, goes_by_another_gateway_when_one_is_silent) {
  ASSERT_TRUE(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.8")}));
  ASSERT_TRUE(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = kPeer}));
  ASSERT_TRUE(inet->ping({.to = ip("203.0.113.5")}));
  EXPECT_EQ(header_of(sent_one()).type, 0x0806) << "asks for the first";
  run(1s);
  (void)sent();
  ASSERT_TRUE(inet->ping({.to = ip("203.0.113.5")}));
  EXPECT_EQ(header_of(sent_one()).dst, kPeerMac);
}

TEST_F(Ip4Input, broadcasts_to_its_network_and_to_the_link) {
  for (const char* all : {"192.0.2.255", "255.255.255.255"}) {
    ASSERT_TRUE(inet->ping({.to = ip(all)}));
    EXPECT_EQ(header_of(sent_one()).dst, net::kBroadcast) << all;
  }
  ASSERT_TRUE(inet->ping({.to = ip("224.1.2.3")}));
  EXPECT_EQ(header_of(sent_one()).dst, (net::MacAddress{{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}}));
}

}  // namespace
}  // namespace vif::test
