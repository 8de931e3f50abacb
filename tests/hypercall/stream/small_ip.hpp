// SPDX-License-Identifier: BSD-2-Clause
// The few packets by which a test talks to a program that is a network: ARP, DHCP, UDP and TCP over IPv4, as bytes.
// Addresses are numbers in host order.
#pragma once

#include "tests/support/frames.hpp"

namespace vif::test {

inline constexpr std::uint8_t kTcp = 6, kUdp = 17;  // IANA protocol numbers

inline void put16(Frame& to, std::uint16_t value) {
  to.push_back(static_cast<std::byte>(value >> 8));
  to.push_back(static_cast<std::byte>(value));
}
inline void put32(Frame& to, std::uint32_t value) {
  put16(to, static_cast<std::uint16_t>(value >> 16));
  put16(to, static_cast<std::uint16_t>(value));
}
inline Frame text_bytes(std::string_view text) {
  Frame bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// RFC 1071.
inline std::uint16_t internet_checksum(Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(&bytes[i]);
  if (bytes.size() % 2 != 0) sum += std::to_integer<std::uint32_t>(bytes.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Two ends of a conversation.
struct Flow {
  net::MacAddress from_mac, to_mac;
  std::uint32_t from, to;
  std::uint16_t from_port, to_port;
};

inline Frame arp_who_has(const net::MacAddress& our_mac, std::uint32_t our_address, std::uint32_t wanted) {
  Frame body = hex("0001 0800 06 04 0001");
  body.insert(body.end(), reinterpret_cast<const std::byte*>(our_mac.octets.data()),
              reinterpret_cast<const std::byte*>(our_mac.octets.data() + net::kMacBytes));
  put32(body, our_address);
  body = body + Frame(net::kMacBytes);
  put32(body, wanted);
  return ether(net::kBroadcast, 0x0806, body, our_mac);
}

// RFC 791; `segment` has its checksum, which also covers addresses, at `checksum_at`.
inline Frame ipv4(const Flow& flow, std::uint8_t protocol, Frame segment, std::size_t checksum_at) {
  Frame pseudo;
  put32(pseudo, flow.from);
  put32(pseudo, flow.to);
  put16(pseudo, protocol);
  put16(pseudo, static_cast<std::uint16_t>(segment.size()));
  const auto partial = static_cast<std::uint16_t>(~internet_checksum(pseudo));
  store_be16(&segment[checksum_at], internet_checksum(segment, partial));

  Frame header = hex("45 00");
  put16(header, static_cast<std::uint16_t>(20 + segment.size()));
  put32(header, 0x0001'4000);  // identification 1, don't fragment
  put16(header, static_cast<std::uint16_t>(64 << 8 | protocol));
  put16(header, 0);
  put32(header, flow.from);
  put32(header, flow.to);
  store_be16(&header[10], internet_checksum(header));
  return ether(flow.to_mac, 0x0800, header + segment, flow.from_mac);
}

// RFC 768.
inline Frame udp(const Flow& flow, const Frame& payload) {
  Frame segment;
  put16(segment, flow.from_port);
  put16(segment, flow.to_port);
  put16(segment, static_cast<std::uint16_t>(8 + payload.size()));
  put16(segment, 0);
  return ipv4(flow, kUdp, segment + payload, 6);
}

struct TcpFlags {
  static constexpr std::uint16_t kFin = 1, kSyn = 2, kPush = 8, kAck = 16;
};
// RFC 9293, without options.
inline Frame tcp(const Flow& flow, std::uint16_t flags, std::uint32_t sequence, std::uint32_t acknowledged,
                 const Frame& payload = {}) {
  Frame segment;
  put16(segment, flow.from_port);
  put16(segment, flow.to_port);
  put32(segment, sequence);
  put32(segment, acknowledged);
  put16(segment, static_cast<std::uint16_t>(5 << 12 | flags));
  put16(segment, 0xffff);
  put32(segment, 0);
  return ipv4(flow, kTcp, segment + payload, 16);
}

// RFC 2131: DHCPDISCOVER (1) or, for an address offered, DHCPREQUEST (3).
inline Frame dhcp(const net::MacAddress& our_mac, std::uint8_t type, std::uint32_t requested = 0) {
  Frame body = hex("01 01 06 00 76696601 0000 8000") + Frame(16);
  const auto* const mac = reinterpret_cast<const std::byte*>(our_mac.octets.data());
  body.insert(body.end(), mac, mac + net::kMacBytes);
  body = body + Frame(202) + hex("63825363 35 01") + Frame{static_cast<std::byte>(type)};
  if (requested != 0) {
    body = body + hex("32 04");
    put32(body, requested);
  }
  return udp({our_mac, net::kBroadcast, 0, 0xffff'ffff, 68, 67}, body + hex("37 02 01 03 ff"));
}

// What stands in a frame that carries IPv4 with `protocol` from and to these ports; empty: it carries something else.
inline Bytes segment_of(Bytes frame, std::uint8_t protocol, std::uint16_t from_port, std::uint16_t to_port) {
  if (frame.size() < 14 + 20 + 8 || load_be16(&frame[12]) != 0x0800) return {};
  const Bytes packet = frame.subspan(14);
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 15) * 4;
  const std::size_t total = load_be16(&packet[2]);
  if (packet[9] != static_cast<std::byte>(protocol) || total < header + 8 || total > packet.size()) return {};
  const Bytes segment = packet.subspan(header, total - header);
  const bool ours = load_be16(&segment[0]) == from_port && load_be16(&segment[2]) == to_port;
  return ours ? segment : Bytes();
}

}  // namespace vif::test
