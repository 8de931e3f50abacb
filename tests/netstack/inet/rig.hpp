// SPDX-License-Identifier: BSD-2-Clause
// What tests of the IP stack stand on: a stack in a domain of the simulated host, on real interfaces with scripted
// wires. At its end it asks the stack whether all sums hold, and the domain whether all mbufs are back. One thread.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/inet/inet.hpp"
#include "tests/netstack/inet/packets.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {

using net::inet::AddressEvent;
using net::inet::AddressState;
using net::inet::Claim;
using net::inet::Inet;
using net::inet::InetData;
using net::inet::InetDrop;
using net::inet::NeighbourState;

inline constexpr IpAddress kUs = IpAddress::v4(192, 0, 2, 1);
inline constexpr IpAddress kPeer = IpAddress::v4(192, 0, 2, 2);

inline int error_of(const Status& status) { return status ? 0 : status.error().number(); }

// One interface, its wire, and what was last seen on it.
struct Port {
  Port(net::Domain& domain, host::sim::SimWires& wires, std::uint32_t unit, const net::MacAddress& mac)
      : wire(wires.wire("w" + std::to_string(unit))), virt(*drv::Virtif::create(domain, wires, "virt", unit)) {
    domain.publish(ifp());
    EXPECT_TRUE(ifp().ioctl(net::SetLladdr{mac}));
    EXPECT_TRUE(ifp().ioctl(net::SetLinkstr{"sim:w" + std::to_string(unit)}));
  }
  net::Ifnet& ifp() { return virt->ifnet(); }

  host::sim::SimWire& wire;
  std::unique_ptr<drv::Virtif> virt;
};

struct Events final : net::inet::InetListener {
  void address_changed(net::Ifnet& ifp, const net::inet::InterfaceAddress& address, AddressEvent event) override {
    constexpr const char* kWords[] = {"ready", "duplicate", "conflict", "deprecated", "gone"};
    heard.push_back(ifp.name() + " " + address.address().to_string() + " " + kWords[static_cast<int>(event)]);
    if (then) then(ifp, address, event);
  }
  std::vector<std::string> heard;
  std::function<void(net::Ifnet&, const net::inet::InterfaceAddress&, AddressEvent)> then;
};

class InetRig : public testing::Test {
 protected:
  explicit InetRig(const net::inet::InetConfig& config = {.ip6 = false})
      : host(1), domain(host.add_domain({.pool = {.counts = {2048, 64, 16, 2}, .external = 0}})) {
    inet = std::make_unique<Inet>(domain, config);
    inet->listen(events);
    add_port(kOurMac);
  }
  ~InetRig() override {
    events.then = {};
    host.settle();
    expect_sums();
    inet.reset();
    ports.clear();
    EXPECT_EQ(domain.pool().in_use(), 0U) << "mbufs leaked";
  }

  net::Ifnet& add_port(const net::MacAddress& mac) {
    ports.push_back(std::make_unique<Port>(domain, wires, static_cast<std::uint32_t>(ports.size()), mac));
    return ports.back()->ifp();
  }
  net::Ifnet& ifp(std::size_t port = 0) { return ports[port]->ifp(); }

  // Attached, with this address at once; what it said about that is forgotten.
  void configure(const char* address, std::size_t port = 0) {
    if (ifp(port).demux() == nullptr) {
      ASSERT_EQ(error_of(inet->attach(ifp(port))), 0);
    }
    ASSERT_EQ(error_of(inet->add_address(ifp(port), prefix(address), Claim::at_once)), 0);
    run(std::chrono::seconds(10));
    (void)sent(port);
    events.heard.clear();
  }
  // kPeer is where kPeerMac says.
  void know_peer(const IpAddress& peer = kPeer, const net::MacAddress& mac = kPeerMac, std::size_t port = 0) {
    ASSERT_EQ(error_of(inet->add_neighbour(ifp(port), peer, mac)), 0);
  }

  void arrive(const Frame& frame, std::size_t port = 0, net::Offload offload = {}) {
    ports[port]->wire.arrive(frame, offload);
    host.settle();
  }
  // From the peer's MAC to ours.
  void arrive_ip(const Frame& packet, std::size_t port = 0) {
    arrive(ether(ifp(port).lladdr(), ether_type(packet), packet), port);
  }
  static std::uint16_t ether_type(const Frame& packet) {
    return (std::to_integer<unsigned>(packet.at(0)) >> 4) == 6 ? 0x86dd : 0x0800;
  }
  void run(Time time) { host.run_until(host.clock.now() + time); }

  // What left since the last call, but for what routers are told about groups: that is put to `reports`.
  std::vector<Frame> sent(std::size_t port = 0) {
    host.settle();
    std::vector<Frame> others;
    for (Frame& frame : std::exchange(ports[port]->wire.sent, {})) {
      (is_group_report(frame) ? reports : others).push_back(std::move(frame));
    }
    return others;
  }
  // IGMP, or ICMPv6 behind a hop-by-hop header.
  static bool is_group_report(const Frame& frame) {
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(frame.at(i)); };
    return be16_at(frame, 12) == 0x0800 ? at(14 + 9) == 2 : be16_at(frame, 12) == 0x86dd && at(14 + 6) == 0;
  }
  Frame sent_one(std::size_t port = 0) {
    std::vector<Frame> frames = sent(port);
    EXPECT_EQ(frames.size(), 1U);
    return frames.empty() ? Frame(net::kEtherHeaderBytes + 60) : frames.front();
  }
  void expect_silence(std::size_t port = 0) { EXPECT_TRUE(sent(port).empty()); }

  std::uint64_t dropped(InetDrop reason) const { return inet->read().dropped(reason); }
  void expect_sums() const {
    const InetData data = inet->read();
    EXPECT_EQ(data.received + data.cut, data.ended_in());
    EXPECT_EQ(data.originated + data.forwarded + data.fragmented, data.ended_out());
  }
  std::optional<net::inet::Neighbour> neighbour(const IpAddress& address, std::size_t port = 0) {
    for (const net::inet::Neighbour& entry : inet->neighbours(ifp(port))) {
      if (entry.address == address) return entry;
    }
    return std::nullopt;
  }

  host::sim::SimHost host;
  host::sim::SimWires wires;
  Events events;
  std::vector<Frame> reports;
  net::Domain& domain;
  std::vector<std::unique_ptr<Port>> ports;
  std::unique_ptr<Inet> inet;
};

}  // namespace vif::test
