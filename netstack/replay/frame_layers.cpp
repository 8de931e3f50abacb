// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_layers.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
namespace {

std::uint8_t octet(const std::byte* at) { return std::to_integer<std::uint8_t>(*at); }

constexpr std::uint16_t kIpv4FragmentBits = 0x3fff, kIpv4OffsetBits = 0x1fff;  // RFC 791, 3.1
constexpr std::uint16_t kIpv6OffsetBits = 0xfff8, kIpv6FragmentBits = 0xfff9;  // RFC 8200, 4.5
constexpr std::size_t kIpv4SourceAt = 12, kIpv6SourceAt = 8;                   // RFC 791, 3.1; RFC 8200, 3
// RFC 2460, 4.4; RFC 6275, 6.4; RFC 8754, 2.
constexpr std::uint8_t kSourceRoute = 0, kHomeAddress = 2, kSegmentRouting = 4;
constexpr std::size_t kRoutingBytes = 8, kSegmentsLeftAt = 3, kLastEntryAt = 4;

}  // namespace

FrameLayers FrameLayers::of(Bytes frame) {
  FrameLayers found;
  found.end = found.payload_at = frame.size();
  if (frame.size() < kEtherHeaderBytes) return found;
  std::size_t at = kEtherHeaderBytes;
  found.ether_type = EtherHeader::load_type(frame.data());
  while (found.tags < kTagsMax && (found.ether_type == kEtherTypeVlan || found.ether_type == kEtherTypeQinq)) {
    if (frame.size() < at + kVlanTagBytes) return found;
    at += kVlanTagBytes;
    ++found.tags;
    found.ether_type = load_be16(frame.data() + at - 2);
  }
  found.network_at = found.payload_at = at;
  switch (found.ether_type) {
    case inet::kEtherTypeArp:
      if (frame.size() < at + kArpBytes) break;
      found.network = Network::arp;
      found.payload_at = found.end = at + kArpBytes;
      break;
    case inet::kEtherTypeIp4:
      found.read_ipv4(frame);
      break;
    case inet::kEtherTypeIp6:
      found.read_ipv6(frame);
      break;
    default:
      break;
  }
  return found;
}

// A length of 0 is that of a frame which an offloading host has captured: it goes to the end.
void FrameLayers::read_ipv4(Bytes frame) {
  if (frame.size() < network_at + kIpv4Bytes) return;
  const std::byte* const ip = frame.data() + network_at;
  const std::size_t header_bytes = std::size_t{4} * (octet(ip) & 0x0f), length = load_be16(ip + 2);
  if (octet(ip) >> 4 != 4 || header_bytes < kIpv4Bytes || frame.size() < network_at + header_bytes) return;
  if (length != 0 && length < header_bytes) return;
  network = Network::ipv4;
  if (length != 0) end = std::min(frame.size(), network_at + length);
  protocol = octet(ip + 9);
  transport_at = payload_at = network_at + header_bytes;
  read_addresses(network_at + kIpv4SourceAt, inet::kIp4AddressBytes);
  const std::uint16_t fragment = load_be16(ip + 6);
  is_fragment = (fragment & kIpv4FragmentBits) != 0;
  is_later_fragment = (fragment & kIpv4OffsetBits) != 0;
  if (!is_later_fragment) read_transport(frame);
}

void FrameLayers::read_ipv6(Bytes frame) {
  if (frame.size() < network_at + kIpv6Bytes) return;
  const std::byte* const ip = frame.data() + network_at;
  if (octet(ip) >> 4 != 6) return;
  network = Network::ipv6;
  const std::size_t length = load_be16(ip + 4);
  if (length != 0) end = std::min(frame.size(), network_at + kIpv6Bytes + length);
  protocol = octet(ip + 6);
  read_addresses(network_at + kIpv6SourceAt, inet::kIp6AddressBytes);
  transport_at = payload_at = network_at + kIpv6Bytes;
  while (protocol == inet::kProtocolHopByHop || protocol == inet::kProtocolRouting ||
         protocol == inet::kProtocolFragment || protocol == inet::kProtocolDestination) {
    if (end < transport_at + 8) return;
    const std::byte* const extension = frame.data() + transport_at;
    const bool fragments = protocol == inet::kProtocolFragment;
    if (fragments) {
      is_fragment = (load_be16(extension + 2) & kIpv6FragmentBits) != 0;
      is_later_fragment = (load_be16(extension + 2) & kIpv6OffsetBits) != 0;
    }
    const std::size_t bytes = fragments ? 8 : 8 + std::size_t{8} * octet(extension + 1);
    if (end < transport_at + bytes) return;
    if (protocol == inet::kProtocolRouting) read_routing(frame.subspan(transport_at, bytes));
    protocol = octet(extension);
    transport_at = payload_at = transport_at + bytes;
    if (is_later_fragment) return;
  }
  read_transport(frame);
}

void FrameLayers::read_addresses(std::size_t at, std::size_t bytes) {
  source_at = at;
  address_bytes = bytes;
  destination_at = at + bytes;
}

// Segment routing lists its addresses from the last one on, the others to the last one.
void FrameLayers::read_routing(Bytes header) {
  const std::uint8_t type = octet(&header[2]);
  if (type != kSourceRoute && type != kHomeAddress && type != kSegmentRouting) return;
  const bool is_reversed = type == kSegmentRouting;
  std::size_t count = (header.size() - kRoutingBytes) / inet::kIp6AddressBytes;
  if (is_reversed) count = std::min(count, octet(&header[kLastEntryAt]) + std::size_t{1});  // other things follow
  if (count == 0) return;
  segments_at = transport_at + kRoutingBytes;
  segments = count;
  if (octet(&header[kSegmentsLeftAt]) == 0) return;  // it has got where it goes
  destination_at = segments_at + (is_reversed ? 0 : count - 1) * inet::kIp6AddressBytes;
}

void FrameLayers::read_transport(Bytes frame) {
  const std::size_t present = end - std::min(end, transport_at);
  const std::byte* const at = frame.data() + transport_at;
  std::size_t bytes = 0;
  Transport kind = Transport::none;
  switch (protocol) {
    case inet::kProtocolTcp:
      if (present < kTcpBytes) return;
      kind = Transport::tcp;
      bytes = std::size_t{4} * (octet(at + 12) >> 4);
      if (bytes < kTcpBytes) return;
      break;
    case inet::kProtocolUdp:
      kind = Transport::udp;
      bytes = kUdpBytes;
      break;
    case inet::kProtocolIcmp4:
    case inet::kProtocolIcmp6: {
      const bool is_own = (protocol == inet::kProtocolIcmp4) == (network == Network::ipv4);
      if (!is_own) return;
      kind = network == Network::ipv4 ? Transport::icmp4 : Transport::icmp6;
      bytes = kIcmpBytes;
      break;
    }
    default:
      return;
  }
  if (present < bytes) return;
  transport = kind;
  payload_at = transport_at + bytes;
}

}  // namespace vif::net
