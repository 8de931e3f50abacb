// SPDX-License-Identifier: BSD-2-Clause
// Frames out: gather what is queued into bursts of slices, hand them to the link, count and show what it took.
#include "netstack/checksum.hpp"
#include "virtif/tx_cutter.hpp"
#include "virtif/virtif.hpp"

namespace vif::drv {
namespace {

constexpr std::array<std::string_view, 4> kStatusNames = {"ok", "would_block", "message_size", "network_down"};

// Puts a tag kept in pkthdr back where the wire has it, behind the two addresses. False: no mbuf, the frame is as
// before.
bool insert_tag(net::MbufPtr& m) {
  constexpr std::size_t kAddressBytes = 2 * net::kMacBytes;
  if (net::m_prepend(m, net::kVlanTagBytes) == nullptr) return false;
  if (!net::m_pullup(m, kAddressBytes + net::kVlanTagBytes)) {
    net::m_trim_front(m, net::kVlanTagBytes);
    return false;
  }
  std::memmove(m->data(), m->data() + net::kVlanTagBytes, kAddressBytes);
  store_be16(m->data() + kAddressBytes, net::kEtherTypeVlan);
  store_be16(m->data() + kAddressBytes + 2, m->pkthdr.vlan_tci);
  m->pkthdr.flags &= static_cast<std::uint16_t>(~net::M_VLANTAG);
  m->pkthdr.offload.prepended(net::kVlanTagBytes);
  return true;
}

}  // namespace

// Sends in context until the queue is empty or the link says no. A tap that transmits only queues, and the loop picks
// it up; one that destroys the interface ends it.
void Virtif::if_start() {
  if (starting_ || !ifp_.is(net::IFF_RUNNING)) return;
  const net::UpcallScope scope(ifp_.domain());
  starting_ = true;
  for (bool blocked = false; !blocked && ifp_.snd.size() > 0;) {
    if (departing_ || ifp_.link_state() == net::LinkState::down) {
      purge();
      break;
    }
    const std::span<const TxFrame> burst = gather();
    if (burst.empty()) break;  // none of them could be sent
    const SendResult result = link_->port->send(burst);
    ifp_.domain().trace().tx_burst(ifp_.name(), static_cast<std::uint32_t>(burst.size()),
                                   static_cast<std::uint32_t>(result.taken),
                                   kStatusNames[static_cast<std::size_t>(result.status)]);
    sent(result.taken);
    switch (result.status) {
      case SendStatus::ok:
        break;
      case SendStatus::would_block:
        ifp_.set_flag(net::IFF_OACTIVE, true);
        blocked = true;
        break;
      case SendStatus::message_size:
        drop_oldest(DropReason::tx_too_long);
        break;
      case SendStatus::network_down:
        purge();
        break;
    }
  }
  starting_ = false;
}

// Describes the oldest queued frames as slices, as many as fit a burst; or the next segments of the oldest, when it is
// one to cut. What cannot be sent at all is dropped on the way.
std::span<const TxFrame> Virtif::gather() {
  if (cutting()) return cutter_->burst();
  std::size_t frames = 0, slices = 0;
  while (frames < kBurstFrames && frames < ifp_.snd.size()) {
    net::MbufPtr& m = ifp_.snd.peek(frames);
    const net::Offload& offload = m->pkthdr.offload;
    const bool cut = offload.is_super_frame() && !link_->caps.offload.takes(offload);
    if (cut && frames > 0) break;  // send those before it first
    DropReason why{};
    if (cut ? !begin_cutting(m, why) : !fit(m, why)) {
      if (frames > 0) break;  // likewise
      drop_oldest(why);
      continue;
    }
    if (cut) return cutter_->burst();
    const std::size_t needed = net::m_segments(*m);
    if (slices + needed > kBurstSlices) break;
    const std::size_t first = slices;
    for (const net::Mbuf* piece = m.get(); piece != nullptr; piece = piece->next()) {
      if (piece->len() != 0) burst_.slices[slices++] = piece->bytes();
    }
    burst_.frames[frames++] = {{&burst_.slices[first], needed}, m->pkthdr.len, m->pkthdr.offload};
  }
  return std::span(burst_.frames).first(frames);
}

bool Virtif::cutting() const { return cutter_ && cutter_->busy(); }

bool Virtif::begin_cutting(net::MbufPtr& m, DropReason& why) {
  if ((m->pkthdr.flags & net::M_VLANTAG) != 0 && !insert_tag(m)) {
    why = DropReason::tx_no_mbuf;
    return false;
  }
  why = DropReason::tx_offload;  // of a kind that nobody knows
  return cutter_ && cutter_->begin(*m, ifp_.mtu_bytes(), why);
}

// Makes the frame one the link can take: its tag in place, its checksum done if the link does not, few enough pieces,
// long enough.
bool Virtif::fit(net::MbufPtr& m, DropReason& why) {
  const LinkCaps& caps = link_->caps;
  if ((m->pkthdr.flags & net::M_VLANTAG) != 0 && !insert_tag(m)) {
    why = DropReason::tx_no_mbuf;
    return false;
  }
  if (!caps.offload.takes(m->pkthdr.offload) && !net::complete_checksum(*m)) {
    why = DropReason::tx_offload;
    return false;
  }
  const std::uint32_t padding = m->pkthdr.len < caps.frame_bytes_min ? caps.frame_bytes_min - m->pkthdr.len : 0;
  const std::size_t slices_max = std::min<std::size_t>(caps.slices_max, kBurstSlices);
  const bool too_many = net::m_segments(*m) > slices_max;
  if (padding == 0 && !too_many) return true;

  net::MbufPtr whole = ifp_.domain().pool().get(m->pkthdr.len + padding);
  if (!whole) {
    why = DropReason::tx_no_mbuf;
    return false;
  }
  const net::PktHdr header = m->pkthdr;
  net::m_copydata(*m, 0, {net::MbufPool::append(*whole, header.len), header.len});
  std::fill_n(net::MbufPool::append(*whole, padding), padding, std::byte{0});
  whole->pkthdr = header;
  whole->pkthdr.len += padding;
  m = std::move(whole);
  if (too_many) ifp_.counters.linearised.add(1);
  return true;
}

// The link has as many of the burst: whole frames, or segments of the oldest.
void Virtif::sent(std::size_t frames) {
  net::IfCounters& count = ifp_.counters;
  if (cutting()) {
    count.osegments.add(frames);
    count.otaken.add(frames);
    const bool was_last = cutter_->took(frames);
    count.ocut.add(was_last ? frames - 1 : frames);
    if (was_last) sent_oldest();
    return;
  }
  count.otaken.add(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const net::PktHdr& header = ifp_.snd.peek(0)->pkthdr;
    count.osegments.add(net::segments(header.offload, header.len));
    sent_oldest();
  }
}

// The link has the oldest: count it, show it, let it go.
void Virtif::sent_oldest() {
  net::IfCounters& count = ifp_.counters;
  const net::MbufPtr m = ifp_.snd.pop();
  count.obytes.add(m->pkthdr.len);
  if ((m->pkthdr.flags & (net::M_BCAST | net::M_MCAST)) != 0) count.omcasts.add(1);
  if (!departing_) ifp_.taps.mtap(*m, net::BpfDirection::out);
}

void Virtif::drop_oldest(DropReason why) {
  if (cutter_) cutter_->drop();
  ifp_.drop(why, *ifp_.snd.pop());
}

void Virtif::purge() {
  if (cutter_) cutter_->drop();
  ifp_.purge(DropReason::tx_down);
}

}  // namespace vif::drv
