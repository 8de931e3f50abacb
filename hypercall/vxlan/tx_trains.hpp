// SPDX-License-Identifier: BSD-2-Clause
// Frames on their way into a tunnel, copied once behind their VXLAN headers. Neighbours of equal length for the same
// remote form a train, which the kernel takes in one piece and cuts (UDP_SEGMENT). Pure; one thread.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "hypercall/vxlan/remotes.hpp"
#include "virtif/link.hpp"

namespace vif::host {

class TxTrains {
 public:
  static constexpr std::size_t kTrains = 64;
  static constexpr std::size_t kSegments = 64;        // of a train: UDP_MAX_SEGMENTS of Linux before 6.9
  static constexpr std::size_t kTrainBytes = 65'507;  // what one IPv4 datagram holds, which is also the kernel's limit
  static constexpr std::size_t kBytes = 128 * 1024;   // 64 full-sized frames, and at least two of the largest

  struct Train {
    Bytes bytes;                // its segments, one behind the other
    std::size_t segment_bytes;  // of each but the last, which may have fewer
    std::size_t segments;
    Remotes::Number remote;
    Bytes segment(std::size_t i) const {
      return bytes.subspan(i * segment_bytes, i + 1 < segments ? segment_bytes : std::dynamic_extent);
    }
  };

  explicit TxTrains(std::uint32_t vni) : vni_(vni), arena_(new std::byte[kBytes]) {}

  // Copies the frame in, behind those before it; `may_join` a train. False: no room.
  bool push(const drv::TxFrame& frame, Remotes::Number remote, bool may_join);

  std::span<const Train> trains() const { return {trains_.data(), count_}; }
  void clear() { count_ = used_ = 0; }

 private:
  bool joins(std::size_t bytes, Remotes::Number remote) const;

  std::uint32_t vni_;
  std::unique_ptr<std::byte[]> arena_;
  std::array<Train, kTrains> trains_;
  std::size_t count_ = 0;  // of trains_
  std::size_t used_ = 0;   // of arena_
};

}  // namespace vif::host
