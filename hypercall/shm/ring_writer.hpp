// SPDX-License-Identifier: BSD-2-Clause
// The sender's end of its own ring: never full, it writes over the oldest frames. It believes nothing in shared memory
// but where its predecessor at this place stopped, and whatever stands there is a place to begin. One thread.
#pragma once

#include <span>

#include "hypercall/shm/shared_copy.hpp"
#include "virtif/link.hpp"

namespace vif::host::shm {

class RingWriter {
 public:
  // Takes the ring over. The predecessor may have died while it wrote: readers of what it was writing over must go on
  // to see that it was.
  RingWriter(Progress& progress, Ring& ring);
  // What it had begun and not written stays good for readers, and for the next one at this place.
  ~RingWriter();
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;

  // Copies the frames in, each at most kFrameBytesMax. They are with all readers when it returns.
  void write(std::span<const drv::TxFrame> frames, std::int64_t timestamp_ns);

 private:
  // So much is begun ahead of what is published, at most, and so lost to slow readers.
  static constexpr std::size_t kBurstFrames = 32;
  static constexpr std::size_t kBurstBytes = 160 * 1024;
  static_assert(kBurstBytes >= 2 * kFrameBytesMax, "a frame, and what is left at the ring's end when it does not fit");

  // Past the caches pays from so many frames on, or so many bytes in one.
  static constexpr std::size_t kStreamFrames = 8;
  static constexpr std::size_t kStreamBytes = 4096;

  template <class Way>
  std::size_t write_burst(std::span<const drv::TxFrame> frames, std::int64_t timestamp_ns);
  void begin_next();

  Progress& progress_;
  Ring& ring_;
  std::uint64_t frames_;    // published
  std::uint64_t bytes_;     // where the next frame may begin
  bool streaming_ = false;  // the last burst went past the caches
};

}  // namespace vif::host::shm
