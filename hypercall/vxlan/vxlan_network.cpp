// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/vxlan_network.hpp"

#include "hypercall/vxlan/vxlan_header.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::host {
namespace {

net::MacAddress destination_of(const drv::TxFrame& frame) {
  if (frame.slices[0].size() >= net::kMacBytes) return net::MacAddress::load(frame.slices[0].data());
  std::array<std::byte, net::kMacBytes> gathered{};
  std::size_t filled = 0;
  for (const Bytes slice : frame.slices) {
    const std::size_t bytes = std::min(slice.size(), gathered.size() - filled);
    std::copy_n(slice.data(), bytes, gathered.data() + filled);
    filled += bytes;
  }
  return net::MacAddress::load(gathered.data());
}

}  // namespace

Remotes::Number VxlanNetwork::way_of(const drv::TxFrame& frame) const {
  if (!learns()) return 0;
  const net::MacAddress to = destination_of(frame);
  return to.is_group() ? kEvery : stations_.find(to).value_or(kEvery);
}

VxlanNetwork::Taken VxlanNetwork::take(const UdpAddress& sender, RxTrain& train, std::span<drv::RxFrame> into,
                                       const When& when) {
  const std::optional<Remotes::Number> from = remotes_.find(sender);
  Taken taken;
  for (; !train.is_empty() && taken.datagrams < into.size(); ++taken.datagrams) {
    const Bytes datagram = train.take();
    const std::optional<DropReason> refusal = from ? refuse_datagram(datagram, vni_) : DropReason::unknown_peer;
    if (refusal) {
      ++refused_[static_cast<std::size_t>(*refusal)];
      continue;
    }
    const Bytes frame = datagram.subspan(kVxlanHeaderBytes);
    if (learns() && frame.size() >= net::kEtherHeaderBytes) {
      stations_.learn(net::EtherHeader::load(frame.data()).src, *from, when.now);
    }
    into[taken.frames++] = {frame, 0, when.wall_ns, {}};
  }
  return taken;
}

}  // namespace vif::host
