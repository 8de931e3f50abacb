// SPDX-License-Identifier: BSD-2-Clause
// A stack as a value: attached to interfaces and taken off again, many of them side by side.
#include "netstack/inet/inet.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

constexpr net::MacAddress kOtherMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x07}};

class InetValue : public InetRig {};

TEST_F(InetValue, brings_the_interface_up_and_gives_its_packets_back_when_detached) {
  EXPECT_FALSE(ifp().is(net::IFF_UP));
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  EXPECT_TRUE(ifp().is(net::IFF_RUNNING));
  ASSERT_EQ(error_of(inet->detach(ifp())), 0);
  arrive(arp_request());
  EXPECT_EQ(ifp().counters.read().dropped(DropReason::unknown_type), 1U);
  EXPECT_EQ(inet->read().received, 0U);
}

TEST_F(InetValue, refuses_what_cannot_be) {
  net::Ifnet& other = add_port(kOtherMac);
  Inet second(domain, {});
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  EXPECT_EQ(error_of(inet->attach(ifp())), EEXIST);
  EXPECT_EQ(error_of(second.attach(ifp())), EEXIST);
  EXPECT_EQ(error_of(inet->add_address(other, prefix("192.0.2.9/24"), Claim::at_once)), ENXIO);
  EXPECT_EQ(error_of(inet->detach(other)), ENXIO);
  EXPECT_EQ(error_of(inet->join(other, ip("224.1.1.1"))), ENXIO);
  for (const char* nobody : {"0.0.0.0/8", "224.0.0.1/4", "255.255.255.255/32", "127.0.0.1/8", "192.0.2.255/24"}) {
    EXPECT_EQ(error_of(inet->add_address(ifp(), prefix(nobody), Claim::at_once)), EINVAL) << nobody;
  }
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::at_once)), 0);
  EXPECT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/16"), Claim::at_once)), EEXIST);
  EXPECT_EQ(error_of(inet->remove_address(ifp(), kPeer)), EADDRNOTAVAIL);
  for (std::uint8_t i = 2; i <= 32; ++i) {
    ASSERT_EQ(error_of(inet->add_address(ifp(), {IpAddress::v4(192, 0, 2, i), 24}, Claim::at_once)), 0);
  }
  EXPECT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.40/24"), Claim::at_once)), ENOBUFS);
  (void)sent();
}

TEST_F(InetValue, needs_a_link_behind_the_interface) {
  auto bare = *drv::Virtif::create(domain, wires, "virt", 9);
  domain.publish(bare->ifnet());
  EXPECT_EQ(error_of(inet->attach(bare->ifnet())), ENXIO);
  EXPECT_EQ(bare->ifnet().demux(), nullptr);
}

TEST_F(InetValue, forgets_all_about_an_interface_that_goes) {
  configure("192.0.2.1/24");
  ASSERT_TRUE(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = kPeer}));
  ASSERT_TRUE(inet->ping({.to = kPeer}));  // held: nobody answers
  ports.clear();
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 192.0.2.1 gone"});
  EXPECT_EQ(error_of(inet->ping({.to = kPeer})), ENETUNREACH);
  EXPECT_EQ(dropped(InetDrop::out_unresolved), 1U);
  run(1min);
}

TEST_F(InetValue, keeps_a_network_as_long_as_one_address_is_in_it) {
  configure("192.0.2.1/24");
  configure("192.0.2.7/24");
  ASSERT_TRUE(inet->remove_address(ifp(), kUs));
  EXPECT_TRUE(inet->ping({.to = kPeer}));
  ASSERT_TRUE(inet->remove_address(ifp(), ip("192.0.2.7")));
  EXPECT_EQ(error_of(inet->ping({.to = kPeer})), ENETUNREACH);
  (void)sent();
}

TEST_F(InetValue, two_stacks_of_one_domain_do_not_see_each_other) {
  add_port(kOtherMac);
  configure("192.0.2.1/24");
  {
    Inet second(domain, {});
    ASSERT_EQ(error_of(second.attach(ifp(1))), 0);
    ASSERT_EQ(error_of(second.add_address(ifp(1), prefix("192.0.2.1/24"), Claim::at_once)), 0);
    (void)sent(1);
    arrive(arp({.sender = kPeer, .target = kUs}), 1);
    EXPECT_EQ(header_of(sent_one(1)).src, kOtherMac);
    EXPECT_EQ(second.neighbours(ifp(1)).size(), 1U);
    EXPECT_EQ(second.read().delivered, 1U);
  }
  EXPECT_TRUE(inet->neighbours(ifp()).empty());
  EXPECT_EQ(inet->read().received, 0U);
}

TEST_F(InetValue, takes_callers_that_call_back_from_every_event) {
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  events.then = [&](net::Ifnet& on, const net::inet::InterfaceAddress& address, AddressEvent event) {
    EXPECT_EQ(error_of(inet->detach(on)), EDEADLK);
    if (event != AddressEvent::gone) (void)inet->remove_address(on, address.address());
  };
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::at_once)), 0);
  EXPECT_EQ(events.heard, (std::vector<std::string>{"virt0 192.0.2.1 ready", "virt0 192.0.2.1 gone"}));
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::probe)), 0);
  run(1s);
  arrive(arp({.sender = kUs, .target = kUs}));
  run(1min);
  EXPECT_TRUE(inet->addresses(ifp()).empty());
  (void)sent();
}

TEST_F(InetValue, does_the_same_to_the_byte_in_two_runs) {
  const auto run_once = [](std::uint64_t seed) {
    std::vector<Frame> all;
    host::sim::SimHost sim(seed);
    host::sim::SimWires links;
    net::Domain& place = sim.add_domain({.pool = kSmallPool});
    Port port(place, links, 0, kOurMac);
    Inet stack(place, {});
    EXPECT_TRUE(stack.attach(port.ifp()));
    EXPECT_TRUE(stack.add_address(port.ifp(), prefix("192.0.2.1/24"), Claim::probe));
    sim.run_until(10s);
    EXPECT_TRUE(stack.ping({.to = kPeer}));
    port.wire.arrive(arp({.operation = 2, .sender = kPeer, .target = kUs, .target_mac = kOurMac, .to = kOurMac}));
    sim.run_until(20s);
    return port.wire.sent;
  };
  EXPECT_EQ(run_once(1), run_once(1));
  EXPECT_NE(run_once(1), run_once(2)) << "the IPv4 identification is not foreseeable";
}

}  // namespace
}  // namespace vif::test
