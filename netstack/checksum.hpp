// SPDX-License-Identifier: BSD-2-Clause
// The Internet checksum (RFC 1071), and finishing one that a frame's sender has left open. Plain values and functions,
// any thread.
#pragma once

#include "netstack/mbuf_cursor.hpp"

namespace vif::net {

// A one's complement sum as it grows; bytes come in pieces of any length.
class VIF_API InternetSum {
 public:
  void add(Bytes bytes);
  MbufCursor add(MbufCursor from, std::size_t bytes);  // as many from there on; returns where they end
  void add(const Mbuf& packet, std::size_t offset);    // all from there on
  void add16(std::uint16_t value);                     // two bytes in network order, at an even place
  void add32(std::uint32_t value);                     // four
  // The pseudo-header of a transport of `bytes` between addresses of 4 or of 16 bytes (RFC 768; RFC 8200, 8.1).
  void add_pseudo_header(Bytes src, Bytes dst, std::uint8_t protocol, std::size_t bytes);

  // Of all so far, as a number.
  std::uint16_t folded() const;
  // What the header's field holds, for store_be16; 0 over bytes that include a right one.
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words as this machine loads them: the order only matters at the end
  bool odd_ = false;       // the next byte is the second of its word
};

// The checksum of one piece.
inline std::uint16_t checksum_of(Bytes bytes) {
  InternetSum sum;
  sum.add(bytes);
  return sum.checksum();
}

// `checksum` after a 16-bit word it covers changed (RFC 1624, equation 3).
VIF_API std::uint16_t checksum_after(std::uint16_t checksum, std::uint16_t before, std::uint16_t now);

// Finishes what Offload::kNeedsChecksum asks for, in the packet's bytes, and clears its offload. True also when there
// is nothing to do. False: the checksum lies outside the packet, or the packet is a super-frame (each of its segments
// has a checksum of its own: see Segmenter); nothing has changed.
VIF_API bool complete_checksum(Mbuf& packet);

}  // namespace vif::net
