// SPDX-License-Identifier: BSD-2-Clause
// A receiver's end of somebody else's ring: copies frames out, and finds out afterwards which of the copies were
// written over meanwhile. It only reads there, so it can neither hold up the sender nor be held up by it; it believes
// nothing it reads until checked, and does a bounded amount of work whatever stands there. One thread.
#pragma once

#include <span>

#include "hypercall/shm/segment_layout.hpp"
#include "virtif/link.hpp"

namespace vif::host::shm {

// Where frames are copied to, for the readers of one thread in turn.
struct ReadBuffer {
  static constexpr std::size_t kFrames = 32;
  // No frame begins behind it: what is copied out is best still in the nearest cache when the driver looks at it.
  static constexpr std::size_t kNearBytes = 10 * 1024;

  std::array<drv::RxFrame, kFrames> frames;
  std::array<std::uint64_t, kFrames> at;  // where in the ring each came from
  alignas(64) std::array<std::byte, kNearBytes + kFrameBytesMax + 64> bytes;
};

class RingReader {
 public:
  // Of frames published from now on.
  RingReader(const Progress& progress, const Ring& ring);

  // Frames published and not read, as far as the sender can be believed.
  std::uint64_t waiting() const;

  struct Burst {
    std::span<const drv::RxFrame> frames;  // in the buffer, until the next read
    std::size_t looked_at = 0;             // frames, good and bad, of this call; 0: there are none
    std::uint64_t overrun = 0;             // written over before they were read
    std::uint64_t malformed = 0;           // there, and no frames
  };
  // The next frames, at most `most` (1 or more).
  Burst read(std::size_t most, ReadBuffer& buffer);

  // Begins again with the oldest frame that is still in the ring.
  void rewind();
  // Which frame is next, counted from the ring's first.
  std::uint64_t next() const { return next_; }

 private:
  // How far a sender can have come between two looks; beyond is nonsense.
  static constexpr std::uint64_t kPlausibleFrames = std::uint64_t{1} << 40;

  // How far the sender may have written over old frames by now.
  struct Begun {
    std::uint64_t frames, bytes;
    // Whether a frame is among the newest quarters of the ring, by count and by bytes: of four, whether it is there.
    bool keeps(std::uint64_t frame, std::uint64_t at, std::size_t quarters) const {
      return frames - frame <= kRingFrames / 4 * quarters && bytes - at <= kRingBytes / 4 * quarters;
    }
  };
  Begun begun() const;

  std::size_t copy_out(std::size_t most, ReadBuffer& buffer) const;
  // Looks at copies of frames from next_ on: the good ones are then the first in the buffer.
  Burst judge(std::size_t copied, const Begun& begun, ReadBuffer& buffer) const;
  std::uint64_t oldest_kept(std::uint64_t from, std::uint64_t published, std::size_t quarters) const;

  const Progress& progress_;
  const Ring& ring_;
  std::uint64_t next_;
};

}  // namespace vif::host::shm
