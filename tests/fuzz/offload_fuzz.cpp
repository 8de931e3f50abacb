// SPDX-License-Identifier: BSD-2-Clause
// Any offload on any frame, cut anyhow into mbufs: it is refused, or its segments carry exactly its payload; nothing is
// read outside it and it is not changed. An interface whose link takes no offload sends or counts it.
//
// Input: 10 bytes of Offload as virtio_net_hdr has them (little-endian), one of piece size, one of a link's limits,
// then the frame.
#include <cstdint>

#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/checksum.hpp"
#include "netstack/segmenter.hpp"
#include "tests/fuzz/mutated.hpp"
#include "virtif/virtif.hpp"

namespace vif::test {
namespace {

constexpr std::size_t kFixedBytes = 2 + kOffloadBytes;
constexpr std::size_t kFrameBytesMax = 4000;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// Four sound ones, and nothing: then the input is all there is.
SuperFrame base(unsigned kind) {
  if (kind % 5 == 4) return {};
  return super_frame({.ipv6 = kind % 2 == 1,
                      .udp = kind % 5 >= 2,
                      .payload_bytes = 300,
                      .gso_size = 100,
                      .tags = kind / 5 % 3,
                      .extra_bytes = kind / 15 % 3 * 8});
}

struct Rig {
  Rig() {
    for (net::Ifnet* const ifp : {&plain->ifnet(), &whole->ifnet()}) {
      require(ifp->ioctl(net::SetLinkstr{ifp->unit() == 0 ? "sim:plain" : "sim:whole"}).has_value());
      require(ifp->ioctl(net::SetMtu{kFrameBytesMax}).has_value());
      require(ifp->ioctl(net::SetFlags{ifp->flags() | net::IFF_UP}).has_value());
    }
    host.settle();
  }
  net::MbufPtr packet(Bytes frame, std::size_t piece_bytes, const net::Offload& offload) {
    net::MbufPtr m = chain(host_domain.pool(), frame, piece_bytes);
    m->pkthdr.offload = offload;
    return m;
  }
  drv::LinkCaps caps(std::uint16_t slices_max) {
    return {.frame_bytes_max = 65'550, .frame_bytes_min = 60, .slices_max = slices_max};
  }
  std::unique_ptr<drv::Virtif> virt(const char* wire, std::uint16_t slices_max, std::uint32_t unit) {
    wires.wire(wire).caps = caps(slices_max);
    return *drv::Virtif::create(host_domain, wires, "virt", unit);
  }

  host::sim::SimHost host{1};
  net::Domain& host_domain = host.add_domain({.pool = {.counts = {4200, 8, 4, 2}, .external = 0}});
  host::sim::SimWires wires;
  std::unique_ptr<drv::Virtif> plain = virt("plain", 1, 0), whole = virt("whole", 40, 1);
};

void check_segmenter(Rig& rig, Bytes frame, std::size_t piece_bytes, const net::Offload& offload) {
  const net::MbufPtr m = rig.packet(frame, piece_bytes, offload);
  net::Segmenter segmenter;
  if (segmenter.open(*m)) {
    std::size_t payload = 0, segments = 0;
    std::array<std::byte, net::Segmenter::kHeaderBytesMax> header;
    for (; !segmenter.done(); ++segments) {
      const net::Segmenter::Segment segment = segmenter.next(header);
      require(segment.header_bytes <= header.size() && segment.bytes() <= segmenter.segment_bytes_max());
      require(segment.payload_bytes <= offload.gso_size);
      payload += segment.payload_bytes;
    }
    require(segments == segmenter.segments() && segments <= net::Segmenter::kSegmentsMax);
    require(payload < frame.size());
  }
  const Frame before = flat(*m);
  require(std::equal(before.begin(), before.end(), frame.begin(), frame.end()));
  if (!net::complete_checksum(*m)) require(flat(*m) == before);
}

void check_driver(Rig& rig, net::Ifnet& ifp, net::MbufPtr m) {
  ifp.counters.take({});
  (void)ifp.transmit(std::move(m));
  const net::IfData data = ifp.counters.read();
  require(data.offered() == 1 && ifp.snd.size() == 0);
  host::sim::SimWire& wire = rig.wires.wire(ifp.unit() == 0 ? "plain" : "whole");
  require(data.osegments == wire.sent.size());
  for (const Frame& sent : wire.sent) require(sent.size() >= 60);
  wire.sent.clear();
  wire.sent_slices.clear();
  wire.sent_offload.clear();
}

void check(std::span<const std::uint8_t> data) {
  static Rig rig;
  if (data.size() < kFixedBytes) return;
  const Bytes input = std::as_bytes(data);
  const std::size_t piece_bytes = 1 + std::to_integer<std::size_t>(input[0]) * 8;
  const unsigned kind = std::to_integer<unsigned>(input[1]);
  const SuperFrame whole = mutated(base(kind / 2), input.subspan(2), kFrameBytesMax);
  if (whole.bytes.empty()) return;
  check_segmenter(rig, whole.bytes, piece_bytes, whole.offload);
  net::Ifnet& ifp = kind % 2 == 0 ? rig.plain->ifnet() : rig.whole->ifnet();
  check_driver(rig, ifp, rig.packet(whole.bytes, piece_bytes, whole.offload));
  require(rig.host_domain.pool().in_use() == 0);
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vif::test::check({data, size});
  return 0;
}
