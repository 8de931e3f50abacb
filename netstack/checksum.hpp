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
  void add16(std::uint16_t value);                     // two bytes in network order, at an even place
  // Of all so far, as a number; its complement is the checksum.
  std::uint16_t folded() const;

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words as this machine loads them: the order only matters at the end
  bool odd_ = false;       // the next byte is the second of its word
};

// Finishes what Offload::kNeedsChecksum asks for, in the packet's bytes, and clears its offload. True also when there
// is nothing to do. False: the checksum lies outside the packet, or the packet is a super-frame (each of its segments
// has a checksum of its own: see Segmenter); nothing has changed.
VIF_API bool complete_checksum(Mbuf& packet);

}  // namespace vif::net
