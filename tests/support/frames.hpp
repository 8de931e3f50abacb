// SPDX-License-Identifier: BSD-2-Clause
// Known bytes and small builders for tests: frames as plain vectors, and the same frames as mbufs cut anyhow.
#pragma once

#include <algorithm>
#include <cassert>
#include <string_view>
#include <vector>

#include "netstack/ether_demux.hpp"
#include "netstack/mbuf_pool.hpp"

namespace vif::test {

using Frame = std::vector<std::byte>;

inline constexpr net::MacAddress kOurMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x01}};
inline constexpr net::MacAddress kPeerMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x02}};
inline constexpr net::MacAddress kGroupMac{{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb}};

// "0806 0001" -> 08 06 00 01. Blanks are skipped.
inline Frame hex(std::string_view text) {
  Frame bytes;
  unsigned value = 0;
  bool half = false;
  for (const char c : text) {
    if (c == ' ') continue;
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (half) bytes.push_back(static_cast<std::byte>(value & 0xff));
    half = !half;
  }
  assert(!half);
  return bytes;
}

// `count` bytes that differ from their neighbours.
inline Frame counting(std::size_t count) {
  Frame bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

inline Frame operator+(Frame a, const Frame& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// For a domain that hardly uses its mbufs.
inline constexpr net::MbufPool::Config kSmallPool{.counts = {64, 4, 2, 1}, .external = 16};

// An Ethernet frame; `type` is an EtherType or an 802.3 length.
inline Frame ether(const net::MacAddress& dst, std::uint16_t type, const Frame& payload,
                   const net::MacAddress& src = kPeerMac) {
  Frame frame(net::kEtherHeaderBytes);
  net::EtherHeader{dst, src, type}.store(frame.data());
  return frame + payload;
}

// The same frame with a tag after its addresses: the priority and VLAN id of `tci`.
inline Frame tagged(Frame frame, std::uint16_t tci, std::uint16_t type = net::kEtherTypeVlan) {
  std::byte tag[net::kVlanTagBytes];
  store_be16(tag, type);
  store_be16(tag + 2, tci);
  frame.insert(frame.begin() + 2 * net::kMacBytes, std::begin(tag), std::end(tag));
  return frame;
}

// Who has 192.0.2.1? Tell 192.0.2.2 (RFC 826).
inline Frame arp_request() {
  return ether(net::kBroadcast, 0x0806, hex("0001 0800 06 04 0001 02005e100002 c0000202 000000000000 c0000201"));
}

// A spanning tree hello as a bridge sends it: 802.3 length 38, LLC 42 42 03, 35 bytes, 8 of padding (IEEE
// 802.1D, 9.3.1).
inline Frame bpdu() {
  const Frame hello = hex("0000 00 00 00 8000001122334455 00000000 8000001122334455 8001 0000 1400 0200 0f00");
  return ether({{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}}, 38, hex("42 42 03") + hello + Frame(8));
}

// `frame` as a packet of pieces of at most `piece_bytes` (1 or more).
inline net::MbufPtr chain(net::MbufPool& pool, Bytes frame, std::size_t piece_bytes) {
  net::MbufPtr packet = pool.copy_in(frame.first(std::min(piece_bytes, frame.size())));
  for (std::size_t at = piece_bytes; at < frame.size(); at += piece_bytes) {
    net::m_cat(packet, pool.copy_in(frame.subspan(at, std::min(piece_bytes, frame.size() - at))));
  }
  return packet;
}

// All bytes of a packet.
inline Frame flat(const net::Mbuf& packet) {
  Frame bytes(packet.pkthdr.len);
  net::m_copydata(packet, 0, bytes);
  return bytes;
}

}  // namespace vif::test
