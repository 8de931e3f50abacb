// SPDX-License-Identifier: BSD-2-Clause
// A frame that is changed word by word, with the checksums over each word following it (RFC 1624). Borrows the bytes;
// one thread at a time.
#pragma once

#include "netstack/replay/frame_layers.hpp"

namespace vif::net {

class VIF_API SummedFrame {
 public:
  // The transport's checksum follows wherever it is inside the packet, whatever else its header says.
  explicit SummedFrame(MutBytes frame);

  const FrameLayers& layers() const { return layers_; }
  // Writes at an even distance from the network header, inside the frame; not over a checksum.
  void put16(std::size_t at, std::uint16_t value);
  void put(std::size_t at, Bytes words);  // of an even number of bytes

 private:
  void find_transport_checksum();
  bool in_pseudo_header(std::size_t at) const;

  MutBytes frame_;
  FrameLayers layers_;
  bool zero_is_none_ = false;                                        // of the transport's
  std::size_t network_checksum_at_ = 0, transport_checksum_at_ = 0;  // 0: there is none
  bool has_pseudo_header_ = true;                                    // ICMP over IPv4 has none
};

}  // namespace vif::net
