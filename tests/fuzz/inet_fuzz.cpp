// SPDX-License-Identifier: BSD-2-Clause
// Any frames into a configured stack, host or router, with groups joined, a UDP socket and a DHCP client that asks, at
// any pace: both sums of inet_data.hpp hold after every frame, all tables stay within their limits, and no mbuf is
// lost.
//
// Input: one byte of modes, then frames, each a byte of pace, port and kind, a two-byte length (big-endian) and as many
// bytes as are left: a frame, or what lies over a super-frame for a host behind us. Checksums are made right half of
// the time, or hardly a frame would get past them.
#include <cstdint>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/inet/dhcp_client.hpp"
#include "netstack/inet/reassembly.hpp"
#include "tests/fuzz/mutated.hpp"
#include "tests/netstack/inet/right_sums.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

struct Rig final : DhcpListener {
  explicit Rig(bool forwarding) : inet(domain, {.ip6 = true, .forwarding = forwarding}) {
    for (int i = 0; i < 2; ++i) {
      net::Ifnet& ifp = ports[i]->ifnet();
      domain.publish(ifp);
      require(ifp.ioctl(net::SetLladdr{{{0x02, 0, 0x5e, 0x10, 0, static_cast<std::uint8_t>(i + 1)}}}).has_value());
      require(ifp.ioctl(net::SetLinkstr{i == 0 ? "sim:0" : "sim:1"}).has_value());
      require(inet.attach(ifp).has_value());
      const IpAddress v4 = IpAddress::v4(10, 0, static_cast<std::uint8_t>(i), 1);
      require(inet.add_address(ifp, {v4, 24}, Claim::at_once).has_value());
      require(inet.add_address(ifp, {ip(i == 0 ? "fd00::1" : "fd01::1"), 64}, Claim::at_once).has_value());
    }
    require(inet.join(ports[0]->ifnet(), IpAddress::v4(239, 1, 2, 3)).has_value());
    require(inet.join(ports[0]->ifnet(), ip("ff05::1:3")).has_value());
    require(inet.add_route({.to = {kAny4, 0}, .gateway = IpAddress::v4(10, 0, 1, 9)}).has_value());
    require(inet.add_route({.to = {kAny6, 0}, .gateway = ip("fd01::9")}).has_value());
    require(dhcp.start().has_value());
    socket = std::move(*inet.open_udp({.port = 53}));
    host.run_until(std::chrono::seconds(5));
  }

  void lease_changed(net::Ifnet&, const DhcpLease* lease) override {
    require(lease == nullptr || (lease->routes.size() <= DhcpReply::kRoutesMax && lease->until > domain.now()));
  }

  // The transaction the client waits for, or no DHCP message would ever be one; from the client's last question.
  void answer_dhcp(Frame& frame) {
    constexpr std::size_t kDhcpAt = 14 + 20 + 8, kTransactionAt = kDhcpAt + 4, kClientAt = kDhcpAt + 28;
    for (const Frame& sent : wires.wire("0").sent) {
      const bool asks = sent.size() > kClientAt + 6 && be16_at(sent, 12) == 0x0800 && be16_at(sent, 14 + 20) == 68;
      if (asks) transaction = load_be32(&sent[kTransactionAt]);
    }
    wires.wire("0").sent.clear();
    if (frame.size() < kClientAt + 6 || be16_at(frame, 14 + 22) != 68) return;
    store_be32(&frame[kTransactionAt], transaction);
    ports[0]->ifnet().lladdr().store(&frame[kClientAt]);
  }

  void check() {
    const InetData data = inet.read();
    require(data.received + data.cut == data.ended_in());
    require(data.originated + data.forwarded + data.fragmented == data.ended_out());
    require(data.fragments_waiting <= Reassembly::kFragmentsMax);
    for (const auto& port : ports) {
      require(inet.neighbours(port->ifnet()).size() <= Neighbours::kEntriesMax);
      require(inet.addresses(port->ifnet()).size() <= Addresses::kAddressesMax);
    }
  }

  host::sim::SimHost host{1};
  std::uint32_t transaction = 0;
  net::Domain& domain = host.add_domain({.pool = {.counts = {512, 16, 8, 2}, .external = 0}});
  host::sim::SimWires wires;
  std::unique_ptr<drv::Virtif> ports[2] = {std::move(*drv::Virtif::create(domain, wires, "virt", 0)),
                                           std::move(*drv::Virtif::create(domain, wires, "virt", 1))};
  Inet inet;
  DhcpClient dhcp{inet, ports[0]->ifnet(), *this};
  std::unique_ptr<UdpSocket> socket;
};

// How a frame comes.
constexpr unsigned kPort = 1, kWait = 2, kRead = 4, kOverSuper = 8, kIpv6 = 16, kUdp = 32, kNoPayload = 64;

SuperFrame frame_of(Bytes input, unsigned how, const net::MacAddress& to) {
  if ((how & kOverSuper) == 0 || input.size() < kOffloadBytes) return {{input.begin(), input.end()}, {}};
  const SuperFrameSpec spec{.ipv6 = (how & kIpv6) != 0,
                            .udp = (how & kUdp) != 0,
                            .payload_bytes = (how & kNoPayload) != 0 ? 0U : 1600U,
                            .gso_size = 800,
                            .tcp_option_bytes = 0};
  SuperFrame base = super_frame(spec, to);
  if (!spec.ipv6) store_be16(&base.bytes[net::kEtherHeaderBytes + 6], 0);  // may be cut
  return mutated(std::move(base), input, input.size());
}

void check(std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  Rig rig(data[0] & 1);
  const bool right_sums = data[0] & 2;
  const auto left = std::as_bytes(data);
  for (std::size_t at = 1; at + 3 <= left.size();) {
    const auto how = std::to_integer<unsigned>(left[at]);
    const std::size_t bytes = std::min<std::size_t>(load_be16(left.data() + at + 1), left.size() - at - 3);
    const bool second = (how & kPort) != 0;
    SuperFrame frame = frame_of(left.subspan(at + 3, bytes), how, rig.ports[second]->ifnet().lladdr());
    at += 3 + bytes;
    if (right_sums) rig.answer_dhcp(frame.bytes), correct_sums(frame.bytes);
    rig.wires.wire(second ? "1" : "0").arrive(std::move(frame.bytes), frame.offload);
    rig.host.settle();
    rig.check();
    if (how & kWait) rig.host.run_until(rig.host.clock.now() + std::chrono::milliseconds(how * 50));
    if (how & kRead) (void)rig.socket->receive();
    rig.check();
  }
  rig.host.run_until(rig.host.clock.now() + std::chrono::minutes(5));
  rig.check();
  require(rig.inet.read().fragments_waiting == 0);
  while (rig.socket->receive()) continue;
  require(rig.domain.pool().in_use() == rig.inet.read().packets_held);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vif::test::check({data, size});
  return 0;
}
