// SPDX-License-Identifier: BSD-2-Clause
// Super-frames as a sender hands them down, and a check of what they are cut into that is as plain as can be: it shares
// nothing with the library's arithmetic.
#pragma once

#include "tests/support/frames.hpp"

namespace vif::test {

struct SuperFrame {
  Frame bytes;
  net::Offload offload;
};

struct SuperFrameSpec {
  bool ipv6 = false;
  bool udp = false;
  std::size_t payload_bytes = 4000;
  std::uint16_t gso_size = 1448;  // 0: an ordinary frame whose checksum is open
  std::size_t tags = 0;
  std::size_t extra_bytes = 0;  // IPv4 options (of 4) or an IPv6 destination options header (of 8)
  std::size_t tcp_option_bytes = 12;
  std::uint8_t tcp_flags = 0x18;  // PSH, ACK
  std::uint16_t id = 0xfffe;
  std::uint32_t sequence = 0xffff'f000;
};

// RFC 1071 word by word.
inline std::uint16_t plain_sum(Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(sum);
}

namespace super_frames {

constexpr std::uint8_t protocol(const SuperFrameSpec& spec) { return spec.udp ? 17 : 6; }

inline Frame ipv4(const SuperFrameSpec& spec, std::size_t transport_bytes) {
  Frame ip = hex("4500 0000 0000 4000 40 00 0000 0a560001 0a560002");
  ip.resize(20 + spec.extra_bytes, std::byte{1});  // no-operation options
  ip[0] = static_cast<std::byte>(0x40 + ip.size() / 4);
  ip[9] = static_cast<std::byte>(protocol(spec));
  const std::size_t length = ip.size() + transport_bytes;
  store_be16(ip.data() + 2, length > 65'535 ? 0 : static_cast<std::uint16_t>(length));
  store_be16(ip.data() + 4, spec.id);
  store_be16(ip.data() + 10, static_cast<std::uint16_t>(~plain_sum(ip)));
  return ip;
}

inline Frame ipv6(const SuperFrameSpec& spec, std::size_t transport_bytes) {
  Frame ip = hex("60000000 0000 00 40 fd564946000000000000000000000010 fd564946000000000000000000000011");
  const std::size_t length = spec.extra_bytes + transport_bytes;
  store_be16(ip.data() + 4, length > 65'535 ? 0 : static_cast<std::uint16_t>(length));
  ip[6] = static_cast<std::byte>(spec.extra_bytes == 0 ? protocol(spec) : 60);
  if (spec.extra_bytes == 0) return ip;
  Frame options(spec.extra_bytes);
  options[0] = static_cast<std::byte>(protocol(spec));
  options[1] = static_cast<std::byte>(spec.extra_bytes / 8 - 1);
  options[2] = std::byte{1};  // PadN over the rest
  options[3] = static_cast<std::byte>(spec.extra_bytes - 4);
  return ip + options;
}

inline Frame transport(const SuperFrameSpec& spec) {
  if (spec.udp) {
    Frame header = hex("1388 1389 0000 0000");
    store_be16(header.data() + 4, static_cast<std::uint16_t>(8 + spec.payload_bytes));
    return header + counting(spec.payload_bytes);
  }
  Frame header = hex("1388 1389 00000000 12345678 50 00 0400 0000 0000");
  header.resize(20 + spec.tcp_option_bytes, std::byte{1});
  store_be32(header.data() + 4, spec.sequence);
  header[12] = static_cast<std::byte>(header.size() / 4 << 4);
  header[13] = static_cast<std::byte>(spec.tcp_flags);
  return header + counting(spec.payload_bytes);
}

// Of the addresses, the protocol and the length.
inline std::uint16_t pseudo_sum(Bytes addresses, std::uint8_t protocol, std::size_t bytes) {
  std::byte rest[8] = {};
  store_be32(rest, static_cast<std::uint32_t>(bytes));
  rest[7] = static_cast<std::byte>(protocol);
  return plain_sum(rest, plain_sum(addresses));
}

}  // namespace super_frames

inline SuperFrame super_frame(const SuperFrameSpec& spec, const net::MacAddress& dst = kOurMac,
                              const net::MacAddress& src = kPeerMac) {
  using namespace super_frames;
  Frame segment = transport(spec);
  const Frame ip = spec.ipv6 ? ipv6(spec, segment.size()) : ipv4(spec, segment.size());
  const std::size_t field = spec.udp ? 6 : 16;
  const Bytes addresses = spec.ipv6 ? Bytes(ip).subspan(8, 32) : Bytes(ip).subspan(12, 8);
  store_be16(segment.data() + field, pseudo_sum(addresses, protocol(spec), segment.size()));
  Frame whole = ether(dst, spec.ipv6 ? 0x86dd : 0x0800, ip + segment, src);
  for (std::size_t tag = 0; tag < spec.tags; ++tag) whole = tagged(whole, 86, tag == 0 ? 0x8100 : 0x88a8);

  const std::uint8_t tcp = spec.ipv6 ? net::Offload::kGsoTcp6 : net::Offload::kGsoTcp4;
  net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                       .gso_type = spec.udp ? net::Offload::kGsoUdpL4 : tcp,
                       .hdr_len = static_cast<std::uint16_t>(whole.size() - spec.payload_bytes),
                       .gso_size = spec.gso_size,
                       .csum_start = static_cast<std::uint16_t>(whole.size() - segment.size()),
                       .csum_offset = static_cast<std::uint16_t>(field)};
  if (spec.gso_size == 0) offload.gso_type = net::Offload::kGsoNone;
  return {whole, offload};
}

// A frame of the wire taken apart, for TCP and UDP over IP behind tags, IPv4 options and destination options.
struct WireSegment {
  explicit WireSegment(const Frame& frame) {
    const auto octet = [&](std::size_t i) { return std::to_integer<std::size_t>(frame.at(i)); };
    std::size_t at = 12;
    while (load_be16(&frame.at(at)) == 0x8100 || load_be16(&frame.at(at)) == 0x88a8) at += 4;
    at += 2;
    const bool is_ipv6 = octet(at) >> 4 == 6;
    const std::size_t ip_at = at;
    protocol = static_cast<std::uint8_t>(octet(at + (is_ipv6 ? 6 : 9)));
    Bytes addresses;
    if (is_ipv6) {
      addresses = Bytes(frame).subspan(at + 8, 32);
      end = at + 40 + load_be16(&frame.at(at + 4));
      at += 40;
      for (; protocol == 60; at += 8 + 8 * octet(at + 1)) protocol = static_cast<std::uint8_t>(octet(at));
    } else {
      addresses = Bytes(frame).subspan(at + 12, 8);
      end = at + load_be16(&frame.at(at + 2));
      id = load_be16(&frame.at(at + 4));
      at += 4 * (octet(at) & 15);
      network_holds = plain_sum(Bytes(frame).subspan(ip_at, at - ip_at)) == 0xffff;
    }
    const bool is_tcp = protocol == 6;
    sequence = is_tcp ? load_be32(&frame.at(at + 4)) : 0;
    flags = is_tcp ? static_cast<std::uint8_t>(octet(at + 13)) : 0;
    udp_length = is_tcp ? 0 : load_be16(&frame.at(at + 4));
    const std::size_t payload_at = at + (is_tcp ? 4 * (octet(at + 12) >> 4) : 8);
    payload.assign(frame.begin() + static_cast<long>(payload_at), frame.begin() + static_cast<long>(end));
    const Bytes transport = Bytes(frame).subspan(at, end - at);
    transport_holds = plain_sum(transport, super_frames::pseudo_sum(addresses, protocol, transport.size())) == 0xffff;
    transport_bytes = transport.size();
  }

  bool holds() const { return network_holds && transport_holds; }

  std::uint8_t protocol = 0, flags = 0;
  std::uint16_t id = 0, udp_length = 0;
  std::uint32_t sequence = 0;
  std::size_t end = 0, transport_bytes = 0;
  bool network_holds = true, transport_holds = false;
  Frame payload;
};

}  // namespace vif::test
