// SPDX-License-Identifier: BSD-2-Clause
// TCP segments written and read by hand, for peers that know nothing of the code under test. Plain values.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "tests/netstack/inet/packets.hpp"

namespace vif::test {

// A TCP segment without options; RFC 9293, 3.1.
struct Segment {
  static constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;

  std::uint16_t src_port = 0, dst_port = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 60'000;
  Frame data = {};

  static constexpr std::uint8_t kProtocol = 6;
};

inline Frame transport(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol, Frame bytes, std::size_t at) {
  const Frame pseudo = address_bytes(src) + address_bytes(dst) + Frame{std::byte{0}, std::byte{protocol}} +
                       be16(static_cast<std::uint32_t>(bytes.size()));
  put16(bytes, at, plain_checksum(pseudo + bytes));
  return bytes;
}

inline Frame tcp(const IpAddress& src, const IpAddress& dst, const Segment& s) {
  const Frame header = be16(s.src_port) + be16(s.dst_port) + be32(s.seq) + be32(s.ack) +
                       Frame{std::byte{0x50}, std::byte{s.flags}} + be16(s.window) + be16(0) + be16(0);
  return ip4(src, dst, transport(src, dst, Segment::kProtocol, header + s.data, 16), {.protocol = Segment::kProtocol});
}

// The segment in an IPv4 packet, or nothing when it holds none.
inline std::optional<Segment> segment_of(const Frame& packet) {
  if (packet.size() < 40 || packet[0] != std::byte{0x45} || packet[9] != std::byte{Segment::kProtocol}) return {};
  const std::size_t total = be16_at(packet, 2);
  const Frame segment = cut(packet, 20, total - 20);
  EXPECT_EQ(plain_checksum(address_bytes(IpAddress::load4(&packet[12])) + address_bytes(IpAddress::load4(&packet[16])) +
                           Frame{std::byte{0}, packet[9]} + be16(static_cast<std::uint32_t>(segment.size())) + segment),
            0);
  const std::size_t header = (std::to_integer<std::size_t>(segment[12]) >> 4) * 4;
  return Segment{be16_at(segment, 0),
                 be16_at(segment, 2),
                 load_be32(&segment[4]),
                 load_be32(&segment[8]),
                 std::to_integer<std::uint8_t>(segment[13]),
                 be16_at(segment, 14),
                 cut(segment, header)};
}

// The same in a frame of ours.
inline std::optional<Segment> segment_in(const Frame& frame) {
  if (header_of(frame).type != 0x0800) return {};
  return segment_of(payload_of(frame));
}

}  // namespace vif::test
