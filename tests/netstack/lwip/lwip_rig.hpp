// SPDX-License-Identifier: BSD-2-Clause
// lwIP in a domain of the simulated host, with a scripted wire, and a peer that speaks TCP and UDP by hand: it knows
// nothing of the code under test. One thread, one stack at a time.
#pragma once

#include "netstack/lwip/lwip_tcp.hpp"
#include "tests/netstack/inet/rig.hpp"
#include "tests/netstack/lwip/segment.hpp"

namespace vif::test {

using net::lwip::Endpoint;
using net::lwip::LwipStack;

class LwipRig : public testing::Test {
 protected:
  LwipRig() {
    port = std::make_unique<Port>(domain, wires, 0, kOurMac);
    auto made = LwipStack::create(domain, {.connections_max = 8});
    EXPECT_TRUE(made) << made.error().text;
    stack = std::move(*made);
    EXPECT_EQ(error_of(stack->attach(ifp())), 0);
    EXPECT_EQ(error_of(stack->add_address(ifp(), prefix("192.0.2.1/24"))), 0);
    run(std::chrono::seconds(5));
    (void)sent();
    // lwIP learns where the peer is.
    arrive(arp({.sender = kPeer, .target = kUs}));
    (void)sent();
  }
  ~LwipRig() override {
    host.settle();
    stack.reset();
    domain.withdraw(ifp());
    port.reset();
    EXPECT_EQ(domain.pool().in_use(), 0U) << "mbufs leaked";
  }

  net::Ifnet& ifp() { return port->ifp(); }
  void run(Time time) { host.run_until(host.clock.now() + time); }
  void arrive(const Frame& frame, net::Offload offload = {}) {
    port->wire.arrive(frame, offload);
    host.settle();
  }
  void arrive_ip(const Frame& packet, net::Offload offload = {}) { arrive(ether(kOurMac, 0x0800, packet), offload); }
  void arrive(const Segment& segment) { arrive_ip(tcp(kPeer, kUs, segment)); }

  std::vector<Frame> sent() {
    host.settle();
    return std::exchange(port->wire.sent, {});
  }
  std::vector<Segment> segments() {
    std::vector<Segment> found;
    for (const Frame& frame : sent()) {
      if (const auto segment = segment_in(frame)) found.push_back(*segment);
    }
    return found;
  }

  host::sim::SimHost host{1};
  host::sim::SimWires wires;
  net::Domain& domain = host.add_domain({.pool = {.counts = {2048, 64, 16, 2}, .external = 0}});
  std::unique_ptr<Port> port;
  std::unique_ptr<LwipStack> stack;
};

}  // namespace vif::test
