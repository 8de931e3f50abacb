// SPDX-License-Identifier: BSD-2-Clause
// Any frames on the wire of a running interface: every frame is passed or counted under one reason, no mbuf is lost,
// and how a frame is cut into mbufs changes nothing.
//
// Input: one byte of modes, one of cuts, then frames, each a two-byte length (big-endian) and as many bytes as are
// left.
#include <array>
#include <cstdint>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "tests/support/frames.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {
namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// What became of one packet: who got which bytes, or nothing.
struct Outcome {
  const net::EtherProtocol* protocol = nullptr;
  net::EtherHeader header;
  Frame payload;
  std::uint16_t flags = 0, vlan_tci = 0;
  std::uint64_t dropped = 0;  // above the driver, of all reasons

  bool operator==(const Outcome& other) const {
    return protocol == other.protocol && header.dst == other.header.dst && header.src == other.header.src &&
           header.type == other.header.type && payload == other.payload && flags == other.flags &&
           vlan_tci == other.vlan_tci && dropped == other.dropped;
  }
};

struct Protocol final : net::EtherProtocol {
  void ether_protocol_input(net::Ifnet&, const net::EtherHeader& header, net::MbufPtr payload) override {
    *outcome = {this, header, flat(*payload), payload->pkthdr.flags, payload->pkthdr.vlan_tci};
  }
  Outcome* outcome = nullptr;
};

std::uint64_t dropped_above_the_driver(const net::IfData& data) {
  return data.dropped(DropReason::promisc_only) + data.dropped(DropReason::bad_length) +
         data.dropped(DropReason::unknown_type);
}

// Stands between the driver and ether_input: gives it each packet as it came, and once more in pieces.
struct Rig final : net::IfInput {
  Rig() {
    for (const net::EtherKey key : {net::ether_type_key(0x0800), net::ether_type_key(0x0806),
                                    net::ether_type_key(net::kEtherTypeVlan), net::llc_key(0x42)}) {
      require(domain.demux().attach(key, protocols[attached]).has_value());
      protocols[attached++].outcome = &outcome;
    }
    require(ifp.ioctl(net::SetLladdr{kOurMac}).has_value());
    require(ifp.ioctl(net::SetLinkstr{"sim:fuzz"}).has_value());
    require(ifp.ioctl(net::SetFlags{ifp.flags() | net::IFF_UP}).has_value());
    ifp.set_input(this);
    host.settle();
  }

  Outcome input_once(net::MbufPtr packet) {
    outcome = {};
    const std::uint64_t before = dropped_above_the_driver(ifp.counters.read());
    net::ether_input(ifp, std::move(packet));
    outcome.dropped = dropped_above_the_driver(ifp.counters.read()) - before;
    return outcome;
  }

  // Its first bytes, where the headers are, in pieces of `piece_bytes`; the rest in one.
  net::MbufPtr cut(const net::Mbuf& packet) {
    constexpr std::size_t kCutBytesMax = 64;
    const Frame whole = flat(packet);
    const std::size_t cut_bytes = std::min(kCutBytesMax, whole.size());
    net::MbufPtr pieces = chain(domain.pool(), Bytes(whole).first(cut_bytes), piece_bytes);
    if (cut_bytes < whole.size()) net::m_cat(pieces, domain.pool().copy_in(Bytes(whole).subspan(cut_bytes)));
    const std::uint32_t bytes = pieces->pkthdr.len;
    pieces->pkthdr = packet.pkthdr;
    require(pieces->pkthdr.len == bytes);
    return pieces;
  }

  void input(net::Ifnet&, net::MbufPtr packet) override {
    ++passed;
    net::MbufPtr pieces = cut(*packet);
    const Outcome as_it_came = input_once(std::move(packet));
    const Outcome in_pieces = input_once(std::move(pieces));
    require(as_it_came == in_pieces);
    require(as_it_came.dropped == (as_it_came.protocol == nullptr ? 1 : 0));
  }

  void modes(bool promisc, bool allmulti) {
    if (promisc != ifp.is(net::IFF_PROMISC)) require(ifp.ioctl(net::SetPromisc{promisc}).has_value());
    if (allmulti != ifp.is(net::IFF_ALLMULTI)) require(ifp.ioctl(net::SetAllmulti{allmulti}).has_value());
  }

  host::sim::SimHost host{1};
  net::Domain& domain = host.add_domain({.pool = {.counts = {100, 8, 8, 2}, .external = 0}});
  host::sim::SimWires wires;
  std::unique_ptr<drv::Virtif> virt = *drv::Virtif::create(domain, wires, "virt", 0);
  net::Ifnet& ifp = virt->ifnet();
  std::array<Protocol, 4> protocols;
  std::size_t attached = 0;
  Outcome outcome;
  std::size_t piece_bytes = 1;
  std::uint64_t passed = 0;
};

void check(std::span<const std::uint8_t> data) {
  static Rig rig;
  if (data.size() < 2) return;
  rig.modes(data[0] & 1, data[0] & 2);
  rig.piece_bytes = 1 + data[1] % 64;
  rig.passed = 0;
  rig.ifp.counters.take({});
  std::uint64_t offered = 0;
  const auto left = std::as_bytes(data);
  for (std::size_t at = 2; at + 2 <= left.size(); ++offered) {
    const std::size_t bytes = std::min<std::size_t>(load_be16(left.data() + at), left.size() - at - 2);
    at += 2 + bytes;
    rig.wires.wire("fuzz").arrive({left.begin() + static_cast<long>(at - bytes), left.begin() + static_cast<long>(at)});
  }
  rig.host.settle();
  const net::IfData data_after = rig.ifp.counters.read();
  require(data_after.received() == offered);
  require(data_after.ipackets == rig.passed);
  require(rig.domain.pool().in_use() == 0);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vif::test::check({data, size});
  return 0;
}
