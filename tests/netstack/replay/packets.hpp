// SPDX-License-Identifier: BSD-2-Clause
// Small sound packets for the tests of what reads and changes them: checksums by the plainest arithmetic.
#pragma once

#include <gtest/gtest.h>

#include "netstack/replay/frame_rewriter.hpp"
#include "tests/support/super_frames.hpp"

namespace vif::test {

// A UDP datagram from 10.86.0.1:5000 to 10.86.0.2:5001 (or their IPv6 likes), with sums that are right.
inline Frame udp_packet(const Frame& payload, bool ipv6 = false, std::uint8_t ttl = 64,
                        std::uint16_t source_port = 5000) {
  SuperFrameSpec spec{.ipv6 = ipv6, .udp = true, .payload_bytes = payload.size(), .gso_size = 0};
  Frame frame = super_frame(spec).bytes;
  const std::size_t ip_at = 14, udp_at = ip_at + (ipv6 ? 40 : 20);
  std::copy(payload.begin(), payload.end(), frame.begin() + static_cast<std::ptrdiff_t>(udp_at + 8));
  frame[ip_at + (ipv6 ? 7 : 8)] = static_cast<std::byte>(ttl);
  store_be16(frame.data() + udp_at, source_port);
  if (!ipv6) {
    store_be16(frame.data() + ip_at + 10, 0);
    store_be16(frame.data() + ip_at + 10, static_cast<std::uint16_t>(~plain_sum(Bytes(frame).subspan(ip_at, 20))));
  }
  const Bytes addresses = Bytes(frame).subspan(ip_at + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
  store_be16(frame.data() + udp_at + 6, 0);
  const Bytes transport = Bytes(frame).subspan(udp_at);
  const std::uint16_t sum = plain_sum(transport, super_frames::pseudo_sum(addresses, 17, transport.size()));
  store_be16(frame.data() + udp_at + 6, static_cast<std::uint16_t>(~sum));
  return frame;
}

inline Frame rewritten(std::string_view rules, const Frame& frame) {
  const Result<net::FrameRewriter> rewriter = net::FrameRewriter::parse(rules);
  EXPECT_TRUE(rewriter) << rewriter.error().text;
  net::Scratch scratch;
  const Bytes changed = rewriter->rewrite(frame, scratch);
  return {changed.begin(), changed.end()};
}

// Whether the sums of a frame that WireSegment reads are right.
inline bool sums_hold(const Frame& frame) { return WireSegment(frame).holds(); }

}  // namespace vif::test
