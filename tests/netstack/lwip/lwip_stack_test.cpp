// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_stack.hpp"

#include "tests/netstack/lwip/lwip_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;

using LwipStackOnAWire = LwipRig;

TEST_F(LwipStackOnAWire, takes_an_address_under_a_routers_prefix) {
  // RFC 4861, 4.2 and 4.6.2: a router for half an hour, and a prefix for addresses of one's own.
  const Frame advertisement = hex("40 00 0708 00000000 00000000") + hex("03 04 40 c0 00000708 00000708 00000000") +
                              address_bytes(ip("2001:db8:1::"));
  const IpAddress router = ip("fe80::1");
  const IpAddress all_nodes = ip("ff02::1");
  arrive(ether(net::inet::group_mac(all_nodes), 0x86dd,
               ip6(router, all_nodes, 58, icmp6(router, all_nodes, 134, 0, advertisement), 255)));
  run(std::chrono::seconds(5));
  (void)sent();

  const IpAddress ours = net::inet::with_eui64(ip("2001:db8:1::"), kOurMac);
  const IpAddress group = net::inet::solicited_node(ours);
  const Frame solicitation = hex("00000000") + address_bytes(ours) + hex("0101") + Frame(6);
  arrive(ether(net::inet::group_mac(group), 0x86dd,
               ip6(router, group, 58, icmp6(router, group, 135, 0, solicitation), 255)));
  bool answered = false;
  for (const Frame& frame : sent())
    answered |= payload_of(frame).size() > 40 && payload_of(frame)[40] == std::byte{136};
  EXPECT_TRUE(answered) << "nobody answers for " << ours.to_string();
}

}  // namespace
