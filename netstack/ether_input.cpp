// SPDX-License-Identifier: BSD-2-Clause
// The door in: one frame from the driver to its protocol.
#include "netstack/ether.hpp"

namespace vif::net {
namespace {

constexpr std::uint8_t kLlcSnapSap = 0xaa;            // IEEE 802.2: SNAP
constexpr std::size_t kLlcBytes = 3;                  // DSAP, SSAP, control
constexpr std::size_t kLlcSnapBytes = kLlcBytes + 5;  // and OUI, EtherType (RFC 1042)

// Moves the tag of an 802.1Q frame (header already off) into pkthdr. False: the frame ends inside the tag.
bool strip_tag(EtherHeader& header, MbufPtr& m) {
  if (m->pkthdr.len < kVlanTagBytes || !m_pullup(m, kVlanTagBytes)) return false;
  m->pkthdr.vlan_tci = load_be16(m->data());
  m->pkthdr.flags |= M_VLANTAG;
  header.type = load_be16(m->data() + 2);
  m_trim_front(m, kVlanTagBytes);
  return true;
}

// For an 802.3 frame: cuts the padding, strips LLC or SNAP and finds the key. False: shorter than it says.
bool strip_llc(EtherHeader& header, MbufPtr& m, EtherKey& key) {
  if (header.type > m->pkthdr.len || header.type < kLlcBytes) return false;
  m_trim_back(m, m->pkthdr.len - header.type);
  if (!m_pullup(m, kLlcBytes)) return false;
  const auto dsap = static_cast<std::uint8_t>(m->data()[0]);
  if (dsap != kLlcSnapSap) {
    key = llc_key(dsap);
    m_trim_front(m, kLlcBytes);
    return true;
  }
  if (m->pkthdr.len < kLlcSnapBytes || !m_pullup(m, kLlcSnapBytes)) return false;
  header.type = load_be16(m->data() + kLlcSnapBytes - 2);
  key = ether_type_key(header.type);
  m_trim_front(m, kLlcSnapBytes);
  return true;
}

// A tag with a VLAN id belongs to whoever registered for 802.1Q; one with id 0 only carries a priority (802.1Q, 6.9.1).
bool in_vlan(const Mbuf& m) { return (m.pkthdr.flags & M_VLANTAG) != 0 && (m.pkthdr.vlan_tci & 0xfff) != 0; }

}  // namespace

void ether_input(Ifnet& ifp, MbufPtr frame) {
  if ((frame->pkthdr.flags & M_PROMISC) != 0) return ifp.counters.drop(DropReason::promisc_only);
  if (frame->pkthdr.len < kEtherHeaderBytes) return ifp.counters.drop(DropReason::bad_length);
  if (!m_pullup(frame, kEtherHeaderBytes)) return ifp.counters.drop(DropReason::no_mbuf);

  EtherHeader header = EtherHeader::load(frame->data());
  m_trim_front(frame, kEtherHeaderBytes);
  const bool tag_in_bytes = header.type == kEtherTypeVlan && (frame->pkthdr.flags & M_VLANTAG) == 0;
  if (tag_in_bytes && !strip_tag(header, frame)) return ifp.counters.drop(DropReason::bad_length);

  EtherKey key = ether_type_key(header.type);
  if (in_vlan(*frame)) {
    key = ether_type_key(kEtherTypeVlan);
  } else if (header.type < kEtherTypeMin && !strip_llc(header, frame, key)) {
    return ifp.counters.drop(DropReason::bad_length);
  }
  EtherProtocol* const protocol = ifp.domain().demux().find(key);
  if (protocol == nullptr) return ifp.counters.drop(DropReason::unknown_type);
  protocol->ether_protocol_input(ifp, header, std::move(frame));
}

}  // namespace vif::net
