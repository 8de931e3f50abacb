// SPDX-License-Identifier: BSD-2-Clause
// The door in: one frame from the driver to its protocol.
#include <algorithm>
#include <array>

#include "netstack/ether.hpp"

namespace vif::net {
namespace {

constexpr std::uint8_t kLlcSnapSap = 0xaa;           // IEEE 802.2: SNAP
constexpr std::size_t kLlcBytes = 3;                 // DSAP, SSAP, control
constexpr std::size_t kSnapBytes = 5;                // OUI, EtherType
constexpr std::array<std::byte, 3> kSnapEtherOui{};  // the type behind it is an EtherType: RFC 1042

// The first bytes: in place, or a copy when the chain is cut there. Unlike m_pullup it needs no mbuf, so that what
// becomes of a frame does not depend on how it is cut.
template <std::size_t kBytes>
const std::byte* front(const Mbuf& m, std::array<std::byte, kBytes>& copy) {
  if (m.len() >= kBytes) return m.bytes().data();
  m_copydata(m, 0, copy);
  return copy.data();
}

// Takes a header off the front. False: the frame's open checksum was to cover it.
bool strip(MbufPtr& m, std::size_t bytes) {
  m_trim_front(m, bytes);
  return m->pkthdr.offload.stripped(bytes);
}

// Moves the tag of an 802.1Q frame (header already off) into pkthdr. False: the frame ends inside the tag.
bool strip_tag(EtherHeader& header, MbufPtr& m) {
  if (m->pkthdr.len < kVlanTagBytes) return false;
  std::array<std::byte, kVlanTagBytes> copy;
  const std::byte* const tag = front(*m, copy);
  m->pkthdr.vlan_tci = load_be16(tag);
  m->pkthdr.flags |= M_VLANTAG;
  header.type = load_be16(tag + 2);
  return strip(m, kVlanTagBytes);
}

// For an 802.3 frame: cuts the padding, strips LLC or SNAP and finds the key. False: shorter than it says.
bool strip_llc(EtherHeader& header, MbufPtr& m, EtherKey& key) {
  if (header.type > m->pkthdr.len || header.type < kLlcBytes) return false;
  m_trim_back(m, m->pkthdr.len - header.type);
  std::array<std::byte, kLlcBytes> llc_copy;
  const auto dsap = static_cast<std::uint8_t>(front(*m, llc_copy)[0]);
  if (!strip(m, kLlcBytes)) return false;
  key = llc_key(dsap);
  if (dsap != kLlcSnapSap) return true;

  if (m->pkthdr.len < kSnapBytes) return false;
  std::array<std::byte, kSnapBytes> snap_copy;
  const std::byte* const snap = front(*m, snap_copy);
  if (!std::equal(kSnapEtherOui.begin(), kSnapEtherOui.end(), snap)) return true;
  header.type = load_be16(snap + kSnapEtherOui.size());
  key = ether_type_key(header.type);
  return strip(m, kSnapBytes);
}

EtherProtocol* protocol_for(const Ifnet& ifp, EtherKey key) {
  EtherProtocol* const own = ifp.demux() != nullptr ? ifp.demux()->find(key) : nullptr;
  return own != nullptr ? own : ifp.domain().demux().find(key);
}

// A tag with a VLAN id belongs to whoever registered for 802.1Q; one with id 0 only carries a priority (802.1Q, 6.9.1).
bool in_vlan(const Mbuf& m) { return (m.pkthdr.flags & M_VLANTAG) != 0 && (m.pkthdr.vlan_tci & 0xfff) != 0; }

}  // namespace

void ether_input(Ifnet& ifp, MbufPtr frame) {
  if ((frame->pkthdr.flags & M_PROMISC) != 0) return ifp.drop(DropReason::promisc_only, *frame);
  if (frame->pkthdr.len < kEtherHeaderBytes) return ifp.drop(DropReason::bad_length, *frame);

  std::array<std::byte, kEtherHeaderBytes> copy;
  EtherHeader header = EtherHeader::load(front(*frame, copy));
  const std::size_t bytes = frame->pkthdr.len;
  if (!strip(frame, kEtherHeaderBytes)) return ifp.drop(DropReason::bad_length, bytes, header);
  const bool tag_in_bytes = header.type == kEtherTypeVlan && (frame->pkthdr.flags & M_VLANTAG) == 0;
  if (tag_in_bytes && !strip_tag(header, frame)) return ifp.drop(DropReason::bad_length, bytes, header);

  EtherKey key = ether_type_key(header.type);
  if (in_vlan(*frame)) {
    key = ether_type_key(kEtherTypeVlan);
  } else if (header.type < kEtherTypeMin && !strip_llc(header, frame, key)) {
    return ifp.drop(DropReason::bad_length, bytes, header);
  }
  EtherProtocol* const protocol = protocol_for(ifp, key);
  if (protocol == nullptr) return ifp.drop(DropReason::unknown_type, bytes, header);
  protocol->ether_protocol_input(ifp, header, std::move(frame));
}

}  // namespace vif::net
