// SPDX-License-Identifier: BSD-2-Clause
// A place in a packet, from which its bytes are read piece by piece. A plain value; the packet outlives it and keeps
// its pieces.
#pragma once

#include <algorithm>

#include "netstack/mbuf.hpp"

namespace vif::net {

class MbufCursor {
 public:
  MbufCursor() = default;
  // `offset` is at most the packet's length.
  MbufCursor(const Mbuf& packet, std::size_t offset) : piece_(&packet), offset_(offset) {}

  // What follows in one piece, at most `bytes_max` (not 0), and moves behind it. The packet has more bytes.
  Bytes take(std::size_t bytes_max) {
    while (offset_ >= piece_->len()) {
      offset_ -= piece_->len();
      piece_ = piece_->next();
    }
    const Bytes taken = piece_->bytes().subspan(offset_, std::min(bytes_max, piece_->len() - offset_));
    offset_ += taken.size();
    return taken;
  }

 private:
  const Mbuf* piece_ = nullptr;
  std::size_t offset_ = 0;  // in the piece, or behind it
};

}  // namespace vif::net
