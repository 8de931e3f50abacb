// SPDX-License-Identifier: BSD-2-Clause
// A frame's descriptor as a value. Whoever reads one from shared memory takes each word once and then believes none of
// them: sane() says whether the bytes it points at lie inside a ring at all.
#pragma once

#include <cstddef>

#include "hypercall/shm/word_copy.hpp"
#include "netstack/offload.hpp"

namespace vif::host::shm {

static_assert(offsetof(net::Offload, csum_offset) == 8, "all before it is one word");

struct FrameDescriptor {
  std::uint64_t at = 0;  // of its first byte, in bytes since the ring began; a multiple of 8
  std::uint32_t bytes = 0;
  net::Offload offload = {};
  std::int64_t timestamp_ns = 0;

  std::size_t offset() const { return at % kRingBytes; }
  std::size_t words() const { return (std::size_t{bytes} + 7) / 8; }
  std::uint64_t end() const { return at + words() * 8; }
  // Whether it can be a frame: inside the ring, and with work left to do that is inside the frame.
  bool sane() const {
    return at % 8 == 0 && bytes > 0 && bytes <= kFrameBytesMax && offset() + words() * 8 <= kRingBytes &&
           (!offload.is_pending() || sane_offload());
  }

  template <class Way>
  void store(Descriptor& to) const {
    std::uint64_t work = 0;
    std::memcpy(&work, &offload, sizeof work);
    Way::store(to.words[0], at);
    Way::store(to.words[1], bytes | std::uint64_t{offload.csum_offset} << 32);
    Way::store(to.words[2], work);
    Way::store(to.words[3], static_cast<std::uint64_t>(timestamp_ns));
  }

  static FrameDescriptor load(const Descriptor& from) {
    FrameDescriptor frame;
    const auto word = [&](std::size_t i) { return from.words[i].load(std::memory_order_relaxed); };
    frame.at = word(0);
    const std::uint64_t bytes = word(1), work = word(2);
    frame.bytes = static_cast<std::uint32_t>(bytes);
    std::memcpy(static_cast<void*>(&frame.offload), &work, sizeof work);
    frame.offload.csum_offset = static_cast<std::uint16_t>(bytes >> 32);
    frame.timestamp_ns = static_cast<std::int64_t>(word(3));
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
