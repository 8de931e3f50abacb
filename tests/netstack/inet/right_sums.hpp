// SPDX-License-Identifier: BSD-2-Clause
// Puts into a frame's checksum fields what its sender would have, so that damage elsewhere gets past them: for tests
// and fuzz targets that make frames up. Knows nothing of the code under test.
#pragma once

#include "tests/netstack/inet/packets.hpp"

namespace vif::test {

// Of the IPv4 header, and of ICMP, IGMP, UDP and ICMPv6, also behind a hop-by-hop header; as far as the frame has them.
inline void correct_sums(Frame& frame) {
  constexpr std::size_t kIpAt = net::kEtherHeaderBytes;
  if (frame.size() < kIpAt + 20) return;
  const auto octet = [&](std::size_t at) { return std::to_integer<unsigned>(frame[at]); };
  const std::uint16_t type = be16_at(frame, 12);
  std::size_t at = kIpAt + 40, end = frame.size();
  unsigned protocol = octet(kIpAt + 6);
  Frame covered;
  if (type == 0x0800) {
    at = kIpAt + (octet(kIpAt) & 15) * 4;
    if (at > frame.size()) return;
    put16(frame, kIpAt + 10, 0);
    put16(frame, kIpAt + 10, plain_checksum(cut(frame, kIpAt, at - kIpAt)));
    protocol = octet(kIpAt + 9);
    end = std::clamp<std::size_t>(kIpAt + be16_at(frame, kIpAt + 2), at, frame.size());
    if (protocol == 17) covered = cut(frame, kIpAt + 12, 8) + be32(17) + be32(static_cast<std::uint32_t>(end - at));
  } else if (type == 0x86dd && frame.size() >= at + 8) {
    end = std::clamp<std::size_t>(at + be16_at(frame, kIpAt + 4), at, frame.size());
    if (protocol == 0) protocol = octet(at), at += (octet(at + 1) + 1) * 8;
    if (at > end) return;
    covered = cut(frame, kIpAt + 8, 32) + be32(protocol) + be32(static_cast<std::uint32_t>(end - at));
  } else {
    return;
  }
  const std::size_t sum_at = at + (protocol == 17 ? 6 : 2);
  if ((protocol != 1 && protocol != 2 && protocol != 17 && protocol != 58) || sum_at + 2 > end) return;
  put16(frame, sum_at, 0);
  put16(frame, sum_at, plain_checksum(covered + cut(frame, at, end - at)));
}

}  // namespace vif::test
