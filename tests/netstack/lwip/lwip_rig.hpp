// SPDX-License-Identifier: BSD-2-Clause
// lwIP in a domain of the simulated host, with a scripted wire, and a peer that speaks TCP and UDP by hand: it knows
// nothing of the code under test. One thread, one stack at a time.
#pragma once

#include "netstack/lwip/lwip_tcp.hpp"
#include "tests/netstack/inet/rig.hpp"

namespace vif::test {

using net::lwip::Endpoint;
using net::lwip::LwipStack;

// A TCP segment without options; RFC 9293, 3.1.
struct Segment {
  static constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;

  std::uint16_t src_port = 0, dst_port = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 60'000;
  Frame data = {};

  static constexpr std::uint8_t kProtocol = 6;
};

inline Frame transport(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol, Frame bytes, std::size_t at) {
  const Frame pseudo = address_bytes(src) + address_bytes(dst) + Frame{std::byte{0}, std::byte{protocol}} +
                       be16(static_cast<std::uint32_t>(bytes.size()));
  put16(bytes, at, plain_checksum(pseudo + bytes));
  return bytes;
}

inline Frame tcp(const IpAddress& src, const IpAddress& dst, const Segment& s) {
  const Frame header = be16(s.src_port) + be16(s.dst_port) + be32(s.seq) + be32(s.ack) +
                       Frame{std::byte{0x50}, std::byte{s.flags}} + be16(s.window) + be16(0) + be16(0);
  return ip4(src, dst, transport(src, dst, Segment::kProtocol, header + s.data, 16), {.protocol = Segment::kProtocol});
}

// The segment in a frame of ours, or nothing when it holds none.
inline std::optional<Segment> segment_in(const Frame& frame) {
  const Frame packet = payload_of(frame);
  if (header_of(frame).type != 0x0800 || packet.size() < 40 || packet[9] != std::byte{Segment::kProtocol}) return {};
  const std::size_t total = be16_at(packet, 2);
  const Frame segment = cut(packet, 20, total - 20);
  EXPECT_EQ(plain_checksum(address_bytes(IpAddress::load4(&packet[12])) + address_bytes(IpAddress::load4(&packet[16])) +
                           Frame{std::byte{0}, packet[9]} + be16(static_cast<std::uint32_t>(segment.size())) + segment),
            0);
  const std::size_t header = (std::to_integer<std::size_t>(segment[12]) >> 4) * 4;
  return Segment{be16_at(segment, 0),
                 be16_at(segment, 2),
                 load_be32(&segment[4]),
                 load_be32(&segment[8]),
                 std::to_integer<std::uint8_t>(segment[13]),
                 be16_at(segment, 14),
                 cut(segment, header)};
}

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
