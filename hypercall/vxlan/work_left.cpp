// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/work_left.hpp"

#include "netstack/checksum.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::host {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;
constexpr std::size_t kTagsMax = 2;
// RFC 791, 3.1 and RFC 8200, 3.
constexpr std::size_t kIpv4Bytes = 20, kIpv4LengthAt = 2, kIpv4FragmentAt = 6, kIpv4ProtocolAt = 9,
                      kIpv4AddressesAt = 12;
constexpr std::uint16_t kIpv4FragmentBits = 0x3fff;  // more fragments, and the offset
constexpr std::size_t kIpv6Bytes = 40, kIpv6LengthAt = 4, kIpv6NextAt = 6, kIpv6AddressesAt = 8;
constexpr std::size_t kIpv4AddressesBytes = 8, kIpv6AddressesBytes = 32;
// RFC 9293, 3.1 and RFC 768.
constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::size_t kTcpBytes = 20, kTcpOffsetAt = 12, kTcpFlagsAt = 13, kTcpChecksumAt = 16;
constexpr std::uint8_t kTcpCwr = 0x80;
constexpr std::size_t kUdpBytes = 8, kUdpChecksumAt = 6;

std::uint8_t octet(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

// Where IP begins and what it carries.
struct Packet {
  std::size_t network_at = 0, transport_at = 0;
  Bytes addresses, transport;
  std::uint8_t protocol = 0;
  bool is_ipv4 = false;
};

// False: not IP, or something in it that we do not read. A packet that ends before the frame does is padded, and so
// was finished by somebody.
bool read_ipv4(Bytes ip, Packet& packet) {
  if (ip.size() < kIpv4Bytes || octet(ip, 0) >> 4 != 4) return false;
  const std::size_t header_bytes = std::size_t{4} * (octet(ip, 0) & 0x0f);
  if (header_bytes < kIpv4Bytes || load_be16(&ip[kIpv4LengthAt]) != ip.size() || header_bytes > ip.size()) return false;
  if ((load_be16(&ip[kIpv4FragmentAt]) & kIpv4FragmentBits) != 0) return false;
  packet.is_ipv4 = true;
  packet.protocol = octet(ip, kIpv4ProtocolAt);
  packet.addresses = ip.subspan(kIpv4AddressesAt, kIpv4AddressesBytes);
  packet.transport = ip.subspan(header_bytes);
  return true;
}

bool read_ipv6(Bytes ip, Packet& packet) {
  if (ip.size() < kIpv6Bytes || octet(ip, 0) >> 4 != 6) return false;
  if (load_be16(&ip[kIpv6LengthAt]) != ip.size() - kIpv6Bytes) return false;
  packet.protocol = octet(ip, kIpv6NextAt);
  packet.addresses = ip.subspan(kIpv6AddressesAt, kIpv6AddressesBytes);
  packet.transport = ip.subspan(kIpv6Bytes);
  return true;
}

bool read_packet(Bytes frame, Packet& packet) {
  if (frame.size() < net::kEtherHeaderBytes) return false;
  packet.network_at = net::kEtherHeaderBytes;
  std::uint16_t type = net::EtherHeader::load_type(frame.data());
  for (std::size_t tags = 0; tags < kTagsMax && (type == net::kEtherTypeVlan || type == net::kEtherTypeQinq); ++tags) {
    packet.network_at += net::kVlanTagBytes;
    if (frame.size() < packet.network_at) return false;
    type = load_be16(&frame[packet.network_at - 2]);
  }
  const Bytes ip = frame.subspan(packet.network_at);
  if (type == kIpv4 ? !read_ipv4(ip, packet) : type != kIpv6 || !read_ipv6(ip, packet)) return false;
  packet.transport_at = frame.size() - packet.transport.size();
  return true;
}

bool is_open(const Packet& packet, std::size_t checksum_at) {
  net::InternetSum pseudo;
  pseudo.add(packet.addresses);
  pseudo.add16(packet.protocol);
  pseudo.add16(static_cast<std::uint16_t>(packet.transport.size()));
  return load_be16(&packet.transport[checksum_at]) == pseudo.folded();
}

// As TCP's header has it; 0: it has not as many bytes.
std::size_t tcp_header_bytes(Bytes tcp) {
  const std::size_t bytes = std::size_t{4} * (octet(tcp, kTcpOffsetAt) >> 4);
  return bytes < kTcpBytes || bytes > tcp.size() ? 0 : bytes;
}

}  // namespace

bool is_one_packet(Bytes frame) {
  Packet packet;
  return read_packet(frame, packet);
}

net::Offload work_left(Bytes frame, const SegmentsWanted& wanted) {
  Packet packet;
  if (!read_packet(frame, packet)) return {};
  const bool is_tcp = packet.protocol == kTcp;
  if (!is_tcp && packet.protocol != kUdp) return {};
  const std::size_t checksum_at = is_tcp ? kTcpChecksumAt : kUdpChecksumAt;
  if (packet.transport.size() < (is_tcp ? kTcpBytes : kUdpBytes) || !is_open(packet, checksum_at)) return {};

  net::Offload left{.flags = net::Offload::kNeedsChecksum,
                    .csum_start = static_cast<std::uint16_t>(packet.transport_at),
                    .csum_offset = static_cast<std::uint16_t>(checksum_at)};
  if (frame.size() - packet.network_at <= wanted.mtu_bytes) return left;
  const std::size_t header_bytes = is_tcp ? tcp_header_bytes(packet.transport) : kUdpBytes;
  const std::size_t headers_bytes = packet.transport_at - packet.network_at + header_bytes;
  if (header_bytes == 0 || headers_bytes >= wanted.mtu_bytes) return left;
  left.hdr_len = static_cast<std::uint16_t>(packet.network_at + headers_bytes);
  if (!is_tcp) {
    if (wanted.udp_segment_bytes == 0) return left;  // somebody's who sends above his MTU
    left.gso_type = net::Offload::kGsoUdpL4;
    left.gso_size = wanted.udp_segment_bytes;
    return left;
  }
  left.gso_type = packet.is_ipv4 ? net::Offload::kGsoTcp4 : net::Offload::kGsoTcp6;
  if ((octet(packet.transport, kTcpFlagsAt) & kTcpCwr) != 0) left.gso_type |= net::Offload::kGsoEcn;
  left.gso_size = static_cast<std::uint16_t>(wanted.mtu_bytes - headers_bytes);
  return left;
}

}  // namespace vif::host
