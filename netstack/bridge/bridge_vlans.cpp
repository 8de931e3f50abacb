// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bridge/bridge_vlans.hpp"

#include "netstack/ether_demux.hpp"

namespace vif::net {

BridgeVlans BridgeVlans::access(std::uint16_t vlan) {
  BridgeVlans vlans;
  vlans.pvid = vlan;
  vlans.members.set(vlan);
  vlans.untagged.set(vlan);
  return vlans;
}

Status BridgeVlans::check() const {
  if (members[0] || members[kVlanIdBits] || pvid > kVlanIdMax) {
    return fail(std::errc::invalid_argument, "VLAN ids are 1 to " + std::to_string(kVlanIdMax));
  }
  if (pvid != 0 && !members[pvid]) {
    return fail(std::errc::invalid_argument, "PVID " + std::to_string(pvid) + " has to be a VLAN of the port");
  }
  if ((untagged & ~members).any()) {
    return fail(std::errc::invalid_argument, "a VLAN that leaves without a tag has to be one of the port");
  }
  return {};
}

bool has_tag_in_bytes(const Mbuf& frame, std::uint16_t ether_type) {
  return ether_type == kEtherTypeVlan && (frame.pkthdr.flags & M_VLANTAG) == 0;
}

Untagged move_tag_out(MbufPtr& frame) {
  constexpr std::size_t kAddressBytes = 2 * kMacBytes;
  PktHdr& header = frame->pkthdr;
  if (header.len < kEtherHeaderBytes + kVlanTagBytes) return Untagged::malformed;
  Offload offload = header.offload;
  if (!offload.stripped(kVlanTagBytes)) return Untagged::malformed;
  if (!m_pullup(frame, kEtherHeaderBytes + kVlanTagBytes)) return Untagged::no_mbuf;
  const std::uint16_t tci = load_be16(frame->data() + kEtherHeaderBytes);
  std::memmove(frame->data() + kVlanTagBytes, frame->data(), kAddressBytes);
  m_trim_front(frame, kVlanTagBytes);
  frame->pkthdr.offload = offload;
  frame->pkthdr.vlan_tci = tci;
  frame->pkthdr.flags |= M_VLANTAG;
  return Untagged::done;
}

void set_vlan(Mbuf& frame, std::uint16_t vlan, bool is_tagged) {
  PktHdr& header = frame.pkthdr;
  const bool had_tag = (header.flags & M_VLANTAG) != 0;
  const int priority = had_tag ? header.vlan_tci & ~kVlanIdBits : 0;
  header.vlan_tci = static_cast<std::uint16_t>(priority | vlan);
  header.flags = static_cast<std::uint16_t>(is_tagged ? header.flags | M_VLANTAG : header.flags & ~M_VLANTAG);
}

}  // namespace vif::net
