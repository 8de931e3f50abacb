// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/segmenter.hpp"

#include "netstack/checksum.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

constexpr std::uint16_t kEtherTypeIpv4 = 0x0800, kEtherTypeIpv6 = 0x86dd;
constexpr std::size_t kTagsMax = 2;
constexpr std::size_t kIpBytesMax =
    Segmenter::kSegmentBytesMax - kEtherHeaderBytes - kTagsMax * kVlanTagBytes;  // what a length of 16 bits says

// RFC 791, 3.1.
constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv4LengthAt = 2, kIpv4IdAt = 4, kIpv4FragmentAt = 6, kIpv4ProtocolAt = 9, kIpv4ChecksumAt = 10;
constexpr std::uint16_t kIpv4FragmentBits = 0x3fff;  // more fragments, and the offset
// RFC 8200, 3 and 4; the jumbo payload option is RFC 2675, 2.
constexpr std::size_t kIpv6Bytes = 40, kIpv6LengthAt = 4, kIpv6NextAt = 6;
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kDestinationOptions = 60;
constexpr std::size_t kJumboHeaderBytes = 8;
constexpr std::uint16_t kJumboOption = 0xc204;  // type and length
// RFC 9293, 3.1 and RFC 768.
constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::size_t kTcpBytes = 20, kTcpSequenceAt = 4, kTcpOffsetAt = 12, kTcpFlagsAt = 13, kTcpChecksumAt = 16;
constexpr std::uint8_t kTcpFin = 0x01, kTcpPush = 0x08, kTcpCwr = 0x80;
constexpr std::size_t kUdpBytes = 8, kUdpLengthAt = 4, kUdpChecksumAt = 6;

std::uint8_t octet(const std::byte* at) { return std::to_integer<std::uint8_t>(*at); }
void clear(std::byte* at, std::uint8_t bits) { *at &= static_cast<std::byte>(~bits); }

}  // namespace

bool Segmenter::open(const Mbuf& frame) {
  offload_ = frame.pkthdr.offload;
  frame_bytes_ = frame.pkthdr.len;
  segments_ = next_ = 0;
  if (offload_.gso_size == 0 || (offload_.flags & Offload::kNeedsChecksum) == 0) return false;
  const std::size_t present = std::min<std::size_t>(frame_bytes_, kHeaderBytesMax);
  m_copydata(frame, 0, MutBytes(header_).first(present));
  if (!read_network(present) || !read_transport(present)) return false;

  payload_ = MbufCursor(frame, header_bytes_);
  payload_bytes_ = frame_bytes_ - header_bytes_;
  segment_payload_bytes_ = offload_.gso_size;
  if (has_jumbo_option_) drop_jumbo_option();
  if (segment_bytes_max() - network_at_ > kIpBytesMax) return false;
  const std::size_t count = (payload_bytes_ + segment_payload_bytes_ - 1) / segment_payload_bytes_;
  if (count > kSegmentsMax) return false;
  segments_ = std::max<std::size_t>(count, 1);
  return true;
}

// Finds the network header behind the tags, and the transport's behind that. False: not what the offload says.
bool Segmenter::read_network(std::size_t present) {
  network_at_ = kEtherHeaderBytes;
  if (present < network_at_) return false;
  std::uint16_t type = ether_type();
  for (std::size_t tags = 0; tags < kTagsMax && (type == kEtherTypeVlan || type == kEtherTypeQinq); ++tags) {
    network_at_ += kVlanTagBytes;
    if (present < network_at_) return false;
    type = load_be16(header_.data() + network_at_ - 2);
  }
  is_ipv4_ = type == kEtherTypeIpv4;
  if (!is_ipv4_ && type != kEtherTypeIpv6) return false;
  switch (offload_.gso_type) {
    case Offload::kGsoTcp4:
    case Offload::kGsoTcp4 | Offload::kGsoEcn:
      is_tcp_ = true;
      return is_ipv4_ && read_ipv4(present);
    case Offload::kGsoTcp6:
    case Offload::kGsoTcp6 | Offload::kGsoEcn:
      is_tcp_ = true;
      return !is_ipv4_ && read_ipv6(present);
    case Offload::kGsoUdpL4:
      is_tcp_ = false;
      return is_ipv4_ ? read_ipv4(present) : read_ipv6(present);
    default:
      return false;
  }
}

bool Segmenter::read_ipv4(std::size_t present) {
  has_jumbo_option_ = false;
  if (present < network_at_ + kIpv4Bytes) return false;
  const std::byte* const ip = header_.data() + network_at_;
  const std::size_t ip_bytes = std::size_t{4} * (octet(ip) & 0x0f);
  if (octet(ip) >> 4 != 4 || ip_bytes < kIpv4Bytes) return false;
  // 0: too long for the field.
  const std::size_t length = load_be16(ip + kIpv4LengthAt);
  if (length != 0 && length != frame_bytes_ - network_at_) return false;
  if ((load_be16(ip + kIpv4FragmentAt) & kIpv4FragmentBits) != 0) return false;
  transport_at_ = network_at_ + ip_bytes;
  return octet(ip + kIpv4ProtocolAt) == (is_tcp_ ? kTcp : kUdp);
}

bool Segmenter::read_ipv6(std::size_t present) {
  if (present < network_at_ + kIpv6Bytes) return false;
  const std::byte* const ip = header_.data() + network_at_;
  if (octet(ip) >> 4 != 6) return false;
  const std::size_t length = load_be16(ip + kIpv6LengthAt);
  if (length != 0 && length != frame_bytes_ - network_at_ - kIpv6Bytes) return false;

  std::uint8_t next = octet(ip + kIpv6NextAt);
  transport_at_ = network_at_ + kIpv6Bytes;
  const std::byte* const first = header_.data() + transport_at_;
  has_jumbo_option_ = length == 0 && next == kHopByHop && present >= transport_at_ + kJumboHeaderBytes &&
                      octet(first + 1) == 0 && load_be16(first + 2) == kJumboOption;
  while (next == kHopByHop || next == kRouting || next == kDestinationOptions) {
    if (present < transport_at_ + 2) return false;
    const std::byte* const extension = header_.data() + transport_at_;
    next = octet(extension);
    transport_at_ += 8 + std::size_t{8} * octet(extension + 1);
  }
  return next == (is_tcp_ ? kTcp : kUdp);
}

bool Segmenter::read_transport(std::size_t present) {
  const std::size_t least = is_tcp_ ? kTcpBytes : kUdpBytes;
  const std::size_t checksum_at = is_tcp_ ? kTcpChecksumAt : kUdpChecksumAt;
  if (present < transport_at_ + least) return false;
  if (offload_.csum_start != transport_at_ || offload_.csum_offset != checksum_at) return false;
  std::byte* const transport = header_.data() + transport_at_;
  const std::size_t bytes = is_tcp_ ? std::size_t{4} * (octet(transport + kTcpOffsetAt) >> 4) : kUdpBytes;
  header_bytes_ = transport_at_ + bytes;
  if (bytes < least || header_bytes_ > present) return false;

  // The field holds the pseudo-header's sum, the whole length in it.
  InternetSum length, pseudo;
  length.add32(static_cast<std::uint32_t>(frame_bytes_ - transport_at_));
  pseudo.add16(load_be16(transport + checksum_at));
  pseudo.add16(length.checksum());
  pseudo_sum_ = pseudo.folded();
  if (is_tcp_) {
    last_flags_ = octet(transport + kTcpFlagsAt) & (kTcpFin | kTcpPush);
    clear(transport + kTcpFlagsAt, kTcpFin | kTcpPush);
  }
  return true;
}

void Segmenter::drop_jumbo_option() {
  std::byte* const ip = header_.data() + network_at_;
  std::byte* const option = ip + kIpv6Bytes;
  ip[kIpv6NextAt] = option[0];
  std::memmove(option, option + kJumboHeaderBytes, header_bytes_ - network_at_ - kIpv6Bytes - kJumboHeaderBytes);
  transport_at_ -= kJumboHeaderBytes;
  header_bytes_ -= kJumboHeaderBytes;
}

Segmenter::Segment Segmenter::peek() const {
  assert(!done());
  return {header_bytes_, payload_, std::min(segment_payload_bytes_, payload_bytes_ - next_ * segment_payload_bytes_)};
}

Segmenter::Segment Segmenter::next(MutBytes header) {
  assert(header.size() >= header_bytes_);
  const Segment segment = peek();
  ++next_;
  std::memcpy(header.data(), header_.data(), header_bytes_);
  finish_network(header.subspan(network_at_), segment.bytes() - network_at_);
  finish_transport(header.subspan(transport_at_, header_bytes_ - transport_at_), segment);

  std::byte* const transport = header_.data() + transport_at_;
  if (is_tcp_) {
    clear(transport + kTcpFlagsAt, kTcpCwr);  // congestion is told once: RFC 3168, 6.1.2
    const std::uint32_t sequence = load_be32(transport + kTcpSequenceAt);
    store_be32(transport + kTcpSequenceAt, sequence + static_cast<std::uint32_t>(segment.payload_bytes));
  }
  if (is_ipv4_) {
    std::byte* const id = header_.data() + network_at_ + kIpv4IdAt;
    store_be16(id, static_cast<std::uint16_t>(load_be16(id) + 1));
  }
  return segment;
}

void Segmenter::finish_network(MutBytes header, std::size_t network_bytes) const {
  std::byte* const ip = header.data();
  if (!is_ipv4_) {
    store_be16(ip + kIpv6LengthAt, static_cast<std::uint16_t>(network_bytes - kIpv6Bytes));
    return;
  }
  store_be16(ip + kIpv4LengthAt, static_cast<std::uint16_t>(network_bytes));
  store_be16(ip + kIpv4ChecksumAt, 0);
  store_be16(ip + kIpv4ChecksumAt, checksum_of(header.first(transport_at_ - network_at_)));
}

// Also moves to the next segment's payload, as its sum reads this one's.
void Segmenter::finish_transport(MutBytes header, const Segment& segment) {
  std::byte* const transport = header.data();
  const std::size_t transport_bytes = header.size() + segment.payload_bytes;
  if (is_tcp_) {
    if (done()) transport[kTcpFlagsAt] |= static_cast<std::byte>(last_flags_);
  } else {
    store_be16(transport + kUdpLengthAt, static_cast<std::uint16_t>(transport_bytes));
  }
  std::byte* const field = transport + (is_tcp_ ? kTcpChecksumAt : kUdpChecksumAt);
  store_be16(field, pseudo_sum_);
  InternetSum sum;
  sum.add32(static_cast<std::uint32_t>(transport_bytes));
  sum.add(header);
  payload_ = sum.add(payload_, segment.payload_bytes);
  const std::uint16_t checksum = sum.checksum();
  // In UDP 0 means that there is none: RFC 768.
  store_be16(field, !is_tcp_ && checksum == 0 ? 0xffff : checksum);
}

}  // namespace vif::net
