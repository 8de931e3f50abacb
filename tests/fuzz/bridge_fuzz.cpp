// SPDX-License-Identifier: BSD-2-Clause
// Any frames on the three ports of a bridge, which may hear its own probes and has an interface of its own: every frame
// has one fate, what a port was given it sent or counted, no mbuf is lost and the table keeps its bounds.
//
// Input: one byte of modes; then steps, each one byte (the port, the kind, how the frame is cut) and, for a frame, a
// two-byte length (big-endian) and as many bytes as are left.
#include <cstdint>
#include <numeric>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/if_bridge.hpp"
#include "tests/support/frames.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {
namespace {

constexpr std::size_t kPorts = 3;
constexpr std::size_t kStationsMax = 8;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// In the order the bits of a step's byte have.
struct Step {
  explicit Step(std::byte byte) : bits(std::to_integer<unsigned>(byte)) {}
  std::size_t port() const { return (bits & 3) % kPorts; }
  bool is_replay() const { return (bits & 12) == 12; }  // of what that port has sent: a loop
  bool is_offload() const { return (bits & 12) == 8; }
  std::size_t piece_bytes() const { return 1 + (bits >> 4) * 4; }
  unsigned bits;
};

// Ports 0 and 1 are in VLAN 1; port 2 also, or not, in VLAN 5.
struct Rig {
  explicit Rig(unsigned modes) : bridge(domain, config(modes)) {
    for (std::size_t i = 0; i < kPorts; ++i) {
      ports[i] = *drv::Virtif::create(domain, wires, "virt", static_cast<std::uint32_t>(i));
      net::Ifnet& ifp = ports[i]->ifnet();
      require(ifp.ioctl(net::SetLinkstr{"sim:" + std::to_string(i)}).has_value());
      require(bridge.add(ifp, settings(modes, i)).has_value());
      require(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}).has_value());
    }
    own = *bridge.add_own(0);
    require(own->ioctl(net::SetFlags{own->flags() | net::IFF_UP}).has_value());
    require(bridge.add_static(*own, 1, kSilentStation).has_value());
    host.run_until(std::chrono::milliseconds(1));
  }

  static net::Bridge::Config config(unsigned modes) {
    return {.stations_max = kStationsMax, .filters_vlans = (modes & 1) != 0, .moves_per_second = modes >> 6};
  }
  static net::BridgePortSettings settings(unsigned modes, std::size_t port) {
    net::BridgePortSettings settings{.learns = (modes & 2) == 0, .floods_unknown = (modes & 4) == 0};
    if (port == 2 && (modes & 8) != 0) settings.vlans = {};
    if (port == 2) settings.vlans.add_tagged(5);
    return settings;
  }

  void hear(const Step& step, Frame frame) {
    net::Offload offload;
    if (step.is_offload()) offload = {.flags = net::Offload::kNeedsChecksum, .csum_start = 14, .csum_offset = 6};
    wires.wire(std::to_string(step.port())).arrive(std::move(frame), offload);
    host.settle();
  }
  void replay(const Step& step) {
    const auto sent = std::exchange(wires.wire(std::to_string(step.port())).sent, {});
    for (const Frame& frame : sent) wires.wire(std::to_string((step.bits >> 4) % kPorts)).arrive(frame);
    host.settle();
    host.run_until(host.clock.now() + std::chrono::seconds(step.bits >> 6));
  }
  void send_own(const Step& step, const Frame& frame) {
    if (frame.size() < net::kEtherHeaderBytes) return;
    net::MbufPtr packet = chain(domain.pool(), frame, step.piece_bytes() + 8);
    if (packet && packet->pkthdr.len == frame.size()) (void)own->transmit(std::move(packet));
  }

  void expect_sums() {
    for (const auto& port : ports) expect_sums(port->ifnet(), false);
    expect_sums(*own, true);
    require(bridge.stations().size() <= kStationsMax);
    require(domain.pool().in_use() == 0);
  }
  void expect_sums(net::Ifnet& ifp, bool is_own) {
    const net::BridgePortData data = *bridge.data(ifp);
    const net::IfData counted = ifp.counters.read();
    const std::uint64_t in = std::accumulate(data.fates.begin(), data.fates.end(), std::uint64_t{0});
    require(in == (is_own ? counted.opackets : counted.ipackets));
    require(data.given == (is_own ? counted.ipackets : counted.offered()));
  }

  static constexpr net::MacAddress kSilentStation{{0x02, 0, 0, 0, 0, 0x77}};
  host::sim::SimHost host{1};
  net::Domain& domain = host.add_domain({.pool = {.counts = {100, 8, 8, 2}, .external = 0}});
  host::sim::SimWires wires;
  std::array<std::unique_ptr<drv::Virtif>, kPorts> ports;
  net::Bridge bridge;
  net::Ifnet* own = nullptr;
};

void check(std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  Rig rig(data[0]);
  const auto left = std::as_bytes(data);
  for (std::size_t at = 1; at + 3 <= left.size();) {
    const Step step(left[at++]);
    if (step.is_replay()) {
      rig.replay(step);
      continue;
    }
    const std::size_t bytes = std::min<std::size_t>(load_be16(left.data() + at), left.size() - at - 2);
    at += 2 + bytes;
    const Frame frame(left.begin() + static_cast<long>(at - bytes), left.begin() + static_cast<long>(at));
    if ((step.bits & 3) == 3) rig.send_own(step, frame);
    else rig.hear(step, frame);
  }
  rig.expect_sums();
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vif::test::check({data, size});
  return 0;
}
