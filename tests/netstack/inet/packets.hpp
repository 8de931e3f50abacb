// SPDX-License-Identifier: BSD-2-Clause
// Packets written by hand for tests of the IP stack. Knows nothing of the code under test: offsets are those of the
// RFCs, and the checksum is the plainest there is.
#pragma once

#include <cstdint>
#include <string_view>

#include "netstack/inet/ip_address.hpp"
#include "tests/support/frames.hpp"

namespace vif::test {

using net::inet::IpAddress;
using net::inet::IpPrefix;

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
inline IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

// RFC 1071, word by word.
inline std::uint16_t plain_checksum(const Frame& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

inline Frame be16(std::uint32_t value) {
  return {static_cast<std::byte>(value >> 8 & 0xff), static_cast<std::byte>(value & 0xff)};
}
inline Frame be32(std::uint32_t value) { return be16(value >> 16) + be16(value & 0xffff); }
inline std::uint16_t be16_at(const Frame& bytes, std::size_t at) { return load_be16(&bytes.at(at)); }
inline Frame text(std::string_view letters) {
  Frame bytes;
  for (const char letter : letters) bytes.push_back(static_cast<std::byte>(letter));
  return bytes;
}
inline Frame cut(const Frame& bytes, std::size_t from, std::size_t count = SIZE_MAX) {
  from = std::min(from, bytes.size());
  count = std::min(count, bytes.size() - from);
  return {bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(from + count)};
}
inline void put16(Frame& bytes, std::size_t at, std::uint16_t value) { store_be16(&bytes.at(at), value); }

inline Frame address_bytes(const IpAddress& address) {
  Frame bytes(address.is_v4() ? 4 : 16);
  if (address.is_v4()) address.store4(bytes.data());
  else address.store6(bytes.data());
  return bytes;
}

// The fields of an IPv4 header that tests change.
struct Ip4Fields {
  std::uint8_t protocol = 1;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint16_t id = 0x1234;
  std::uint16_t fragment = 0;  // flags and offset in 8 bytes
  Frame options = {};
};

inline Frame ip4(const IpAddress& src, const IpAddress& dst, const Frame& payload, const Ip4Fields& f = {}) {
  const auto words = static_cast<std::uint8_t>(5 + f.options.size() / 4);
  Frame header = Frame{std::byte(0x40 | words), std::byte{f.tos}} +
                 be16(static_cast<std::uint32_t>(words * 4 + payload.size())) + be16(f.id) + be16(f.fragment) +
                 Frame{std::byte{f.ttl}, std::byte{f.protocol}} + be16(0) + address_bytes(src) + address_bytes(dst) +
                 f.options;
  put16(header, 10, plain_checksum(header));
  return header + payload;
}

// An ICMP message: type, code, its word of four bytes, and the rest.
inline Frame icmp(std::uint8_t type, std::uint8_t code, std::uint32_t word, const Frame& rest) {
  Frame message = Frame{std::byte{type}, std::byte{code}} + be16(0) + be32(word) + rest;
  put16(message, 2, plain_checksum(message));
  return message;
}

// `bytes` at the front of `sum`'s coverage: the pseudo-header of either family.
inline Frame pseudo(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol, std::size_t bytes) {
  return address_bytes(src) + address_bytes(dst) + be32(static_cast<std::uint32_t>(bytes)) + be32(protocol);
}

inline Frame udp(const IpAddress& src, std::uint16_t from, const IpAddress& dst, std::uint16_t to, const Frame& data) {
  Frame datagram = be16(from) + be16(to) + be16(static_cast<std::uint32_t>(8 + data.size())) + be16(0) + data;
  const std::uint16_t sum = plain_checksum(pseudo(src, dst, 17, datagram.size()) + datagram);
  put16(datagram, 6, sum == 0 ? 0xffff : sum);
  return datagram;
}

inline Frame icmp6(const IpAddress& src, const IpAddress& dst, std::uint8_t type, std::uint8_t code,
                   const Frame& rest) {
  Frame message = Frame{std::byte{type}, std::byte{code}} + be16(0) + rest;
  put16(message, 2, plain_checksum(pseudo(src, dst, 58, message.size()) + message));
  return message;
}

inline Frame ip6(const IpAddress& src, const IpAddress& dst, std::uint8_t next, const Frame& payload,
                 std::uint8_t hops = 64) {
  return hex("60000000") + be16(static_cast<std::uint32_t>(payload.size())) + Frame{std::byte{next}, std::byte{hops}} +
         address_bytes(src) + address_bytes(dst) + payload;
}

// An ARP packet in its frame, to everyone unless said otherwise.
struct Arping {
  std::uint16_t operation = 1;
  net::MacAddress sender_mac = kPeerMac;
  IpAddress sender, target;
  net::MacAddress target_mac = {};
  net::MacAddress to = net::kBroadcast;
};
inline Frame arp(const Arping& a) {
  Frame macs(12);
  a.sender_mac.store(macs.data());
  a.target_mac.store(macs.data() + 6);
  return ether(a.to, 0x0806,
               hex("0001 0800 06 04") + be16(a.operation) + cut(macs, 0, 6) + address_bytes(a.sender) + cut(macs, 6) +
                   address_bytes(a.target),
               a.sender_mac);
}

inline Frame payload_of(const Frame& frame) { return cut(frame, net::kEtherHeaderBytes); }
inline net::EtherHeader header_of(const Frame& frame) { return net::EtherHeader::load(frame.data()); }

}  // namespace vif::test
