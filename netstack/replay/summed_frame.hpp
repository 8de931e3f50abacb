// SPDX-License-Identifier: BSD-2-Clause
// A frame that is changed word by word, with the checksums over each word following it (RFC 1624). Borrows the bytes;
// one thread at a time.
#pragma once

#include "netstack/replay/frame_layers.hpp"

namespace vif::net {

class VIF_API SummedFrame {
 public:
  explicit SummedFrame(MutBytes frame);

  const FrameLayers& layers() const { return layers_; }
  // Writes at an even distance from the network header, inside the frame; not over a checksum.
  void put16(std::size_t at, std::uint16_t value);
  void put(std::size_t at, Bytes words);  // of an even number of bytes

 private:
  MutBytes frame_;
  FrameLayers layers_;
  std::size_t network_checksum_at_ = 0, transport_checksum_at_ = 0;  // 0: there is none
  std::size_t addresses_at_ = 0, addresses_end_ = 0;                 // of the pseudo-header
};

}  // namespace vif::net
