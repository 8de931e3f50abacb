// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/gateway.hpp"

#include <algorithm>

#include "netstack/checksum.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/inet/arp.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::host::packetdrill {
namespace {

using net::EtherHeader;
using net::kEtherHeaderBytes;
using net::inet::ArpPacket;
using net::inet::IpAddress;

constexpr std::size_t kIp6Bytes = 40, kIp6PayloadAt = 4, kIp6NextAt = 6, kIp6HopsAt = 7, kIp6SourceAt = 8,
                      kIp6DestinationAt = 24;  // RFC 8200, 3
constexpr std::size_t kIp4ProtocolAt = 9;      // RFC 791, 3.1

// RFC 4861, 4; MLD: RFC 2710, RFC 3810.
constexpr std::uint8_t kMldQuery = 130, kMldDone = 132, kRouterSolicitation = 133, kRouterAdvertisement = 134,
                       kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136, kRedirect = 137, kMldReport2 = 143;
constexpr std::uint8_t kOptionSourceMac = 1, kOptionTargetMac = 2;
constexpr std::size_t kSolicitedTargetAt = kIp6Bytes + 8;

constexpr IpAddress kGatewayLinkLocal{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

std::uint8_t at(Bytes bytes, std::size_t place) { return std::to_integer<std::uint8_t>(bytes[place]); }

// Of a packet of at least a byte. Nothing frames a version that is not IP's.
std::uint16_t type_of(Bytes packet) {
  const int version = at(packet, 0) >> 4;
  if (version == 4) return net::inet::kEtherTypeIp4;
  return version == 6 ? net::inet::kEtherTypeIp6 : std::uint16_t{0};
}

// ICMPv6 right behind the IPv6 header, or 0.
std::uint8_t icmp6_type(Bytes packet) {
  const bool is_it = packet.size() > kIp6Bytes && at(packet, kIp6NextAt) == net::inet::kProtocolIcmp6;
  return is_it ? at(packet, kIp6Bytes) : std::uint8_t{0};
}

Frame in_frame(Bytes packet, std::uint16_t type) {
  Frame frame(kEtherHeaderBytes);
  kOurMac.store(frame.data());
  kGatewayMac.store(&frame[net::kMacBytes]);
  store_be16(&frame[2 * net::kMacBytes], type);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

std::optional<Frame> answer_arp(Bytes packet) {
  if (packet.size() < net::inet::kArpBytes) return {};
  const auto asked = ArpPacket::load(packet.data());
  // Who asks for an address from nowhere, or for its own, wants to know that nobody has it (RFC 5227).
  if (!asked || asked->operation != ArpPacket::kRequest || asked->sender.is_unspecified()) return {};
  if (asked->target == asked->sender) return {};
  ArpPacket reply{ArpPacket::kReply, kGatewayMac, asked->target, asked->sender_mac, asked->sender};
  std::array<std::byte, net::inet::kArpBytes> bytes{};
  reply.store(bytes.data());
  return in_frame(bytes, net::inet::kEtherTypeArp);
}

// An ICMPv6 message of the link's own from the gateway: hop limit 255, checksum filled in.
Frame icmp6(const IpAddress& from, const IpAddress& to, Frame message) {
  net::InternetSum sum;
  sum.add_pseudo_header(from.wire(), to.wire(), net::inet::kProtocolIcmp6, message.size());
  sum.add(message);
  store_be16(&message[2], sum.checksum());
  Frame packet(kIp6Bytes);
  packet[0] = std::byte{0x60};
  store_be16(&packet[kIp6PayloadAt], static_cast<std::uint16_t>(message.size()));
  packet[kIp6NextAt] = std::byte{net::inet::kProtocolIcmp6};
  packet[kIp6HopsAt] = std::byte{255};
  from.store6(&packet[kIp6SourceAt]);
  to.store6(&packet[kIp6DestinationAt]);
  packet.insert(packet.end(), message.begin(), message.end());
  return in_frame(packet, net::inet::kEtherTypeIp6);
}

void put_mac(Frame& message, std::size_t place, std::uint8_t option) {
  message[place] = std::byte{option};
  message[place + 1] = std::byte{1};  // in units of 8 bytes
  kGatewayMac.store(&message[place + 2]);
}

std::optional<Frame> answer_ip6(Bytes packet) {
  const std::uint8_t type = icmp6_type(packet);
  const IpAddress asker = type == 0 ? IpAddress{} : IpAddress::load6(&packet[kIp6SourceAt]);
  if (type == kRouterSolicitation) {
    Frame message(16 + 8);
    message[0] = std::byte{kRouterAdvertisement};
    store_be16(&message[6], UINT16_MAX);  // a router for as long as can be said, in seconds
    put_mac(message, 16, kOptionSourceMac);
    return icmp6(kGatewayLinkLocal, asker.is_unspecified() ? net::inet::kAllNodes6 : asker, std::move(message));
  }
  const bool asks = type == kNeighbourSolicitation && packet.size() >= kSolicitedTargetAt + net::inet::kIp6AddressBytes;
  if (!asks || asker.is_unspecified()) return {};  // from nowhere: is the address taken? (RFC 4862, 5.4)
  Frame message(24 + 8);
  message[0] = std::byte{kNeighbourAdvertisement};
  message[4] = std::byte{0xe0};  // router, solicited, override
  std::memcpy(&message[8], &packet[kSolicitedTargetAt], net::inet::kIp6AddressBytes);
  put_mac(message, 24, kOptionTargetMac);
  return icmp6(IpAddress::load6(&packet[kSolicitedTargetAt]), asker, std::move(message));
}

bool keeps_the_link(Bytes packet) {
  if (type_of(packet) == net::inet::kEtherTypeIp4) {
    return packet.size() > kIp4ProtocolAt && at(packet, kIp4ProtocolAt) == net::inet::kProtocolIgmp;
  }
  const std::uint8_t type = icmp6_type(packet);
  // MLD goes behind a hop-by-hop header with the router alert, and nothing else of ours does.
  if (packet.size() > kIp6NextAt && at(packet, kIp6NextAt) == net::inet::kProtocolHopByHop) return true;
  return (type >= kMldQuery && type <= kMldDone) || (type >= kRouterSolicitation && type <= kRedirect) ||
         type == kMldReport2;
}

}  // namespace

Frame to_us(Bytes packet) { return in_frame(packet, type_of(packet)); }

std::optional<Frame> answer(Bytes frame) {
  if (frame.size() < kEtherHeaderBytes) return {};
  const std::uint16_t type = EtherHeader::load(frame.data()).type;
  const Bytes packet = frame.subspan(kEtherHeaderBytes);
  if (type == net::inet::kEtherTypeArp) return answer_arp(packet);
  if (type == net::inet::kEtherTypeIp6) return answer_ip6(packet);
  return {};
}

Bytes packet_in(Bytes frame) {
  if (frame.size() <= kEtherHeaderBytes) return {};
  const std::uint16_t type = EtherHeader::load(frame.data()).type;
  const Bytes packet = frame.subspan(kEtherHeaderBytes);
  if (type == 0 || type != type_of(packet) || keeps_the_link(packet)) return {};
  // Without the padding of short frames.
  std::size_t bytes = packet.size();
  if (type == net::inet::kEtherTypeIp4 && bytes >= 4) bytes = load_be16(&packet[2]);
  if (type == net::inet::kEtherTypeIp6 && bytes >= kIp6Bytes) bytes = kIp6Bytes + load_be16(&packet[kIp6PayloadAt]);
  return packet.first(std::min(bytes, packet.size()));
}

}  // namespace vif::host::packetdrill
