// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/packet_frame.hpp"

#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "netstack/ether_demux.hpp"

namespace vif::host {
namespace {

// The fixed part at the front of `bytes`, which must hold it.
template <class T>
T front(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

constexpr std::size_t kAhead = 3;  // frames
constexpr std::size_t kCacheLineBytes = 64;

std::int64_t nanoseconds(std::uint32_t seconds, std::uint32_t rest_ns) {
  return std::int64_t{seconds} * 1'000'000'000 + rest_ns;
}

// 0, which says "no time", for one beyond the years 1677 to 2262.
std::int64_t nanoseconds(const timespec& time) {
  std::int64_t ns = 0;
  const bool beyond = __builtin_mul_overflow(std::int64_t{time.tv_sec}, std::int64_t{1'000'000'000}, &ns) ||
                      __builtin_add_overflow(ns, std::int64_t{time.tv_nsec}, &ns);
  return beyond ? 0 : ns;
}

FrameNotes notes_of(const tpacket2_hdr& header) {
  return {header.tp_status, header.tp_vlan_tci, header.tp_vlan_tpid, nanoseconds(header.tp_sec, header.tp_nsec)};
}
FrameNotes notes_of(const tpacket3_hdr& header) {
  return {header.tp_status, static_cast<std::uint16_t>(header.hv1.tp_vlan_tci), header.hv1.tp_vlan_tpid,
          nanoseconds(header.tp_sec, header.tp_nsec)};
}

template <class Header>
Placed place(MutBytes slot, const Header& header, bool vnet, drv::RxFrame& frame) {
  if (header.tp_mac < sizeof header + kVnetHeaderBytes || header.tp_mac > slot.size() ||
      header.tp_snaplen > slot.size() - header.tp_mac) {
    return Placed::bad;
  }
  if (header.tp_snaplen < header.tp_len) return Placed::cut;
  frame = whole_frame(slot.subspan(header.tp_mac, header.tp_snaplen), notes_of(header), vnet);
  return Placed::whole;
}

}  // namespace

drv::RxFrame whole_frame(MutBytes frame, const FrameNotes& notes, bool vnet) {
  constexpr std::size_t kAddressBytes = 2 * net::kMacBytes;
  drv::RxFrame whole{.bytes = frame, .timestamp_ns = notes.timestamp_ns};
  if (vnet) whole.offload = read_vnet_header(frame.data() - kVnetHeaderBytes, frame.size());
  if ((notes.status & TP_STATUS_VLAN_VALID) == 0 || frame.size() < kAddressBytes) return whole;

  std::byte* const begin = frame.data() - net::kVlanTagBytes;
  std::memmove(begin, frame.data(), kAddressBytes);
  const bool has_tpid = (notes.status & TP_STATUS_VLAN_TPID_VALID) != 0;
  store_be16(begin + kAddressBytes, has_tpid ? notes.vlan_tpid : net::kEtherTypeVlan);
  store_be16(begin + kAddressBytes + 2, notes.vlan_tci);
  whole.bytes = {begin, frame.size() + net::kVlanTagBytes};
  if (whole.offload.hdr_len != 0) whole.offload.hdr_len += net::kVlanTagBytes;
  if ((whole.offload.flags & net::Offload::kNeedsChecksum) != 0) whole.offload.csum_start += net::kVlanTagBytes;
  return whole;
}

Placed frame_in_slot(MutBytes slot, bool vnet, drv::RxFrame& frame) {
  if (slot.size() < sizeof(tpacket2_hdr)) return Placed::bad;
  return place(slot, front<tpacket2_hdr>(slot), vnet, frame);
}

FrameNotes notes_in_slot(Bytes slot) { return notes_of(front<tpacket2_hdr>(slot)); }

FrameNotes notes_in_control(Bytes control) {
  FrameNotes notes;
  while (control.size() >= sizeof(cmsghdr)) {
    const auto header = front<cmsghdr>(control);
    if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > control.size()) break;
    const Bytes data = control.subspan(CMSG_LEN(0), header.cmsg_len - CMSG_LEN(0));
    control = control.subspan(std::min(control.size(), CMSG_ALIGN(header.cmsg_len)));
    if (header.cmsg_level == SOL_PACKET && header.cmsg_type == PACKET_AUXDATA &&
        data.size() >= sizeof(tpacket_auxdata)) {
      const auto aux = front<tpacket_auxdata>(data);
      notes.status = aux.tp_status;
      notes.vlan_tci = aux.tp_vlan_tci;
      notes.vlan_tpid = aux.tp_vlan_tpid;
    } else if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_TIMESTAMPNS &&
               data.size() >= sizeof(timespec)) {
      notes.timestamp_ns = nanoseconds(front<timespec>(data));
    }
  }
  return notes;
}

BlockReader::BlockReader(MutBytes block, bool vnet) : block_(block), vnet_(vnet) {
  if (block.size() < sizeof(tpacket_block_desc)) return;
  const tpacket_hdr_v1 header = front<tpacket_block_desc>(block).hdr.bh1;
  at_ = header.offset_to_first_pkt;
  left_ = header.num_pkts;
}

std::size_t BlockReader::read(std::span<drv::RxFrame> into, std::uint64_t& lost) {
  std::size_t n = 0;
  while (n < into.size() && left_ > 0) {
    const MutBytes slot = block_.subspan(std::min(at_, block_.size()));
    if (slot.size() < sizeof(tpacket3_hdr)) {
      lost += std::exchange(left_, 0);
      break;
    }
    const auto header = front<tpacket3_hdr>(slot);
    // Frames are often of one length, and their headers too far apart for the processor to fetch them by itself.
    const std::byte* const ahead = slot.data() + kAhead * header.tp_next_offset;
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + kCacheLineBytes);
    const Placed placed = place(slot, header, vnet_, into[n]);
    if (placed == Placed::whole) ++n;
    else ++lost;
    --left_;
    at_ += header.tp_next_offset;
    if (header.tp_next_offset == 0 || placed == Placed::bad) lost += std::exchange(left_, 0);
  }
  return n;
}

}  // namespace vif::host
