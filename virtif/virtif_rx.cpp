// SPDX-License-Identifier: BSD-2-Clause
// A frame in: judged on its raw bytes, copied once, shown to the taps, passed up.
#include "virtif/virtif.hpp"

namespace vif::drv {

void Virtif::deliver(std::span<const RxFrame> frames) {
  const net::UpcallScope scope(ifp_.domain());
  ifp_.domain().trace().rx_burst(ifp_.name(), static_cast<std::uint32_t>(frames.size()));
  for (const RxFrame& frame : frames) receive(frame);
}

// The rules in the order DropReason lists them; the first that matches wins. What is told of a drop is the frame: a
// header that may be told has to lie in memory, for every frame that passes as well.
void Virtif::receive(const RxFrame& frame) {
  net::IfCounters& count = ifp_.counters;
  const std::size_t bytes = frame.bytes.size();
  if (!ifp_.is(net::IFF_RUNNING) || departing_) return ifp_.drop(DropReason::not_running, bytes, frame.bytes);
  if (bytes < net::kEtherHeaderBytes) return ifp_.drop(DropReason::too_short, bytes, frame.bytes);

  const net::EtherHeader header = net::EtherHeader::load(frame.bytes.data());
  const bool super_frame = frame.offload.gso_type != net::Offload::kGsoNone;
  if (!super_frame && bytes > net::frame_bytes_max(ifp_.mtu_bytes(), header.type)) {
    return ifp_.drop(DropReason::too_long, bytes, frame.bytes);
  }
  if (link_->caps.reflects && filter_.is_ours(header.src)) return ifp_.drop(DropReason::own_echo, bytes, frame.bytes);
  const RxVerdict verdict = filter_.judge(header.dst);
  if (verdict == RxVerdict::not_for_us) return ifp_.drop(DropReason::not_for_us, bytes, frame.bytes);

  net::MbufPtr m = ifp_.domain().pool().copy_in(frame.bytes);
  if (!m) return ifp_.drop(DropReason::no_mbuf, bytes, frame.bytes);
  m->pkthdr.wire_len = frame.wire_bytes;
  m->pkthdr.rcvif = ifp_.index();
  m->pkthdr.timestamp_ns = frame.timestamp_ns;
  m->pkthdr.offload = frame.offload;
  if (verdict == RxVerdict::promisc_only) m->pkthdr.flags |= net::M_PROMISC;
  if (header.dst.is_group()) {
    m->pkthdr.flags |= header.dst == net::kBroadcast ? net::M_BCAST : net::M_MCAST;
    count.imcasts.add(1);
  }
  count.ipackets.add(1);
  count.ibytes.add(bytes);
  count.isegments.add(net::segments(frame.offload, bytes));
  ifp_.taps.mtap(*m, net::BpfDirection::in);
  if (!departing_) ifp_.input(std::move(m));  // unless a tap destroyed us
}

}  // namespace vif::drv
