// SPDX-License-Identifier: BSD-2-Clause
// Any frames into a configured stack that forwards, at any pace: both sums of inet_data.hpp hold after every frame, all
// tables stay within their limits, and no mbuf is lost.
//
// Input: one byte of modes, then frames, each a byte of pace and port, a two-byte length (big-endian) and as many bytes
// as are left. Checksums are made right half of the time, or hardly a frame would get past them.
#include <cstdint>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/inet/inet.hpp"
#include "netstack/inet/reassembly.hpp"
#include "tests/netstack/inet/packets.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

struct Rig {
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
    socket = std::move(*inet.open_udp({.port = 53}));
    host.run_until(std::chrono::seconds(5));
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
  net::Domain& domain = host.add_domain({.pool = {.counts = {512, 16, 8, 2}, .external = 0}});
  host::sim::SimWires wires;
  std::unique_ptr<drv::Virtif> ports[2] = {std::move(*drv::Virtif::create(domain, wires, "virt", 0)),
                                           std::move(*drv::Virtif::create(domain, wires, "virt", 1))};
  Inet inet;
  std::unique_ptr<UdpSocket> socket;
};

// What a sender would have put into the checksum fields, as far as the frame has them.
void correct(Frame& frame) {
  constexpr std::size_t kIpAt = net::kEtherHeaderBytes;
  if (frame.size() < kIpAt + 40) return;
  const std::uint16_t type = be16_at(frame, 12);
  std::size_t at = kIpAt + 40;
  unsigned protocol = std::to_integer<unsigned>(frame[kIpAt + 6]);
  Frame covered;
  if (type == 0x0800) {
    at = kIpAt + (std::to_integer<std::size_t>(frame[kIpAt]) & 15) * 4;
    if (at > frame.size()) return;
    put16(frame, kIpAt + 10, 0);
    put16(frame, kIpAt + 10, plain_checksum(cut(frame, kIpAt, at - kIpAt)));
    protocol = std::to_integer<unsigned>(frame[kIpAt + 9]);
    if (protocol == 17)
      covered = cut(frame, kIpAt + 12, 8) + be32(17) + be32(static_cast<std::uint32_t>(frame.size() - at));
  } else if (type == 0x86dd) {
    covered = cut(frame, kIpAt + 8, 32) + be32(protocol) + be32(static_cast<std::uint32_t>(frame.size() - at));
  }
  const std::size_t sum_at = at + (protocol == 17 ? 6 : 2);
  if ((protocol != 1 && protocol != 17 && protocol != 58) || sum_at + 2 > frame.size()) return;
  put16(frame, sum_at, 0);
  put16(frame, sum_at, plain_checksum(covered + cut(frame, at)));
}

void check(std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  Rig rig(data[0] & 1);
  const bool right_sums = data[0] & 2;
  const auto left = std::as_bytes(data);
  for (std::size_t at = 1; at + 3 <= left.size();) {
    const auto how = std::to_integer<unsigned>(left[at]);
    const std::size_t bytes = std::min<std::size_t>(load_be16(left.data() + at + 1), left.size() - at - 3);
    Frame frame(left.begin() + static_cast<long>(at + 3), left.begin() + static_cast<long>(at + 3 + bytes));
    at += 3 + bytes;
    if (right_sums) correct(frame);
    rig.wires.wire(how & 1 ? "1" : "0").arrive(std::move(frame));
    rig.host.settle();
    rig.check();
    if (how & 2) rig.host.run_until(rig.host.clock.now() + std::chrono::milliseconds(how * 50));
    if (how & 4) (void)rig.socket->receive();
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
