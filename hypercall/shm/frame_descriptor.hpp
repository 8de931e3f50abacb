// SPDX-License-Identifier: BSD-2-Clause
// A frame's descriptor as a value. Whoever reads one from shared memory takes each word once and then believes none of
// them: sane() says whether it can be a frame at all.
#pragma once

#include <cstddef>

#include "hypercall/shm/shared_copy.hpp"
#include "netstack/offload.hpp"

namespace vif::host::shm {

static_assert(offsetof(net::Offload, csum_offset) == 8, "all before it is one word");

struct FrameDescriptor {
  std::uint64_t at = 0;  // of its first byte, in bytes since the ring began; at a block
  std::uint32_t bytes = 0;
  net::Offload offload = {};
  std::int64_t timestamp_ns = 0;

  std::size_t offset() const { return at % kRingBytes; }
  std::uint64_t end() const { return at + whole_blocks(bytes); }
  // Inside the ring, and with work left to do that is inside the frame.
  bool sane() const {
    return at % kBlockBytes == 0 && bytes > 0 && bytes <= kFrameBytesMax &&
           offset() + whole_blocks(bytes) <= kRingBytes && (!offload.is_pending() || sane_offload());
  }

  template <class Way>
  void store(Descriptor& to) const {
    std::uint64_t work = 0;
    std::memcpy(&work, &offload, sizeof work);
    Way::store(&to.words[0], {at, bytes | std::uint64_t{offload.csum_offset} << 32});
    Way::store(&to.words[kBlockWords], {work, static_cast<std::uint64_t>(timestamp_ns)});
  }

  static FrameDescriptor load(const Descriptor& from) {
    const Block place = load_block(&from.words[0]), rest = load_block(&from.words[kBlockWords]);
    FrameDescriptor frame;
    frame.at = place[0];
    frame.bytes = static_cast<std::uint32_t>(place[1]);
    std::memcpy(static_cast<void*>(&frame.offload), &rest[0], sizeof rest[0]);
    frame.offload.csum_offset = static_cast<std::uint16_t>(place[1] >> 32);
    frame.timestamp_ns = static_cast<std::int64_t>(rest[1]);
    return frame;
  }

 private:
  bool sane_offload() const {
    const std::uint32_t checksum_end = std::uint32_t{offload.csum_start} + offload.csum_offset + 2;
    return net::OffloadSet::all().takes(offload) && (!offload.is_super_frame() || offload.gso_size > 0) &&
           ((offload.flags & net::Offload::kNeedsChecksum) == 0 || checksum_end <= bytes);
  }
};

}  // namespace vif::host::shm
