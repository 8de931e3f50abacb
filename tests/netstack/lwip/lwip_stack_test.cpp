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

// One frame of anyone's on the wire ended the process: lwIP answers itself by way of a thread that there is not.
TEST_F(LwipStackOnAWire, takes_nothing_from_the_wire_that_says_it_is_from_us) {
  arrive_ip(ip4(kUs, kUs, icmp(8, 0, 1, text("ping"))));
  const IpAddress us6 = net::inet::with_eui64(net::inet::kLinkLocalPrefix6, kOurMac);
  arrive(ether(kOurMac, 0x86dd, ip6(us6, us6, 58, icmp6(us6, us6, 128, 0, text("ping")))));
  run(std::chrono::seconds(1));
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(stack->read().own_source, 2U);
}

// What it heard and sent, back to itself.
struct Talker final : net::lwip::TcpEvents, net::lwip::TcpAcceptor {
  void tcp_arrived(std::unique_ptr<net::lwip::TcpConnection> connection) override {
    held = std::move(connection);
    held->hear(*this);
  }
  void tcp_connected(net::lwip::TcpConnection& connection) override { EXPECT_EQ(*connection.write(text("hello")), 5U); }
  std::size_t tcp_received(net::lwip::TcpConnection&, Bytes bytes) override {
    heard.insert(heard.end(), bytes.begin(), bytes.end());
    return bytes.size();
  }
  void tcp_finished(net::lwip::TcpConnection&) override {}
  void tcp_writable(net::lwip::TcpConnection&) override {}
  void tcp_failed(net::lwip::TcpConnection&, const Error& why) override { FAIL() << why.text; }

  std::unique_ptr<net::lwip::TcpConnection> held;
  Frame heard;
};

TEST_F(LwipStackOnAWire, reaches_itself_without_the_wire) {
  Talker server, client;
  const auto listener = std::move(*net::lwip::TcpListener::listen(*stack, {net::inet::kAny4, 80}, server));
  const auto connection = std::move(*net::lwip::TcpConnection::connect(*stack, {kUs, 80}, client));
  run(std::chrono::seconds(1));
  EXPECT_EQ(server.heard, text("hello"));
  EXPECT_TRUE(sent().empty());
}

}  // namespace
