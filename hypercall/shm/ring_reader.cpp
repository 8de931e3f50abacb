// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/ring_reader.hpp"

#include <algorithm>

#include "hypercall/shm/frame_descriptor.hpp"

namespace vif::host::shm {

RingReader::RingReader(const Progress& progress, const Ring& ring)
    : progress_(progress), ring_(ring), next_(progress.published.load(std::memory_order_acquire)) {}

std::uint64_t RingReader::waiting() const {
  const std::uint64_t waiting = progress_.published.load(std::memory_order_acquire) - next_;
  return waiting <= kPlausibleFrames ? waiting : 0;
}

RingReader::Burst RingReader::read(std::size_t most, ReadBuffer& buffer) {
  const std::uint64_t published = progress_.published.load(std::memory_order_acquire);
  if (published == next_) return {};
  if (published - next_ > kPlausibleFrames) {
    next_ = published;
    return {.frames = {}, .looked_at = 1, .malformed = 1};
  }
  const std::size_t copied = copy_out(std::min<std::uint64_t>(most, published - next_), buffer);
  // Whoever's words were copied had begun them before; its partner is Way::done() in RingWriter::write_burst.
  std::atomic_thread_fence(std::memory_order_acquire);
  const Begun begun = this->begun();
  Burst burst = judge(copied, begun, buffer);
  const bool too_late = !begun.keeps(next_, buffer.at[0], 4);
  next_ += copied;
  if (too_late) {
    // The sender is fast: with the very oldest it would be here again before they are copied.
    const std::uint64_t resume = oldest_kept(next_, published, 3);
    burst.overrun += resume - next_;
    next_ = resume;
  }
  return burst;
}

void RingReader::rewind() {
  const std::uint64_t published = progress_.published.load(std::memory_order_acquire);
  next_ = oldest_kept(published - std::min<std::uint64_t>(published, kRingFrames), published, 4);
}

std::size_t RingReader::copy_out(std::size_t most, ReadBuffer& buffer) const {
  std::size_t used = 0;  // of buffer.bytes
  std::size_t n = 0;
  for (; n < std::min(most, ReadBuffer::kFrames) && used < ReadBuffer::kNearBytes; ++n) {
    const FrameDescriptor frame = FrameDescriptor::load(ring_.descriptors[(next_ + n) % kRingFrames]);
    const std::size_t bytes = frame.sane() ? frame.bytes : 0;
    load_blocks(&ring_.words[frame.offset() / sizeof(Word)], whole_blocks(bytes), &buffer.bytes[used]);
    drv::RxFrame& copy = buffer.frames[n];
    copy.bytes = {&buffer.bytes[used], bytes};
    copy.timestamp_ns = frame.timestamp_ns;
    copy.offload = frame.offload;
    buffer.at[n] = frame.at;
    used += whole_blocks(bytes);
  }
  return n;
}

RingReader::Begun RingReader::begun() const {
  return {progress_.begun_frames.load(std::memory_order_relaxed),
          progress_.begun_bytes.load(std::memory_order_relaxed)};
}

RingReader::Burst RingReader::judge(std::size_t copied, const Begun& begun, ReadBuffer& buffer) const {
  std::size_t good = 0, overrun = 0;
  for (std::size_t i = 0; i < copied; ++i) {
    const bool is_frame = !buffer.frames[i].bytes.empty();
    // What was written over may say anything, so that comes first.
    if (begun.frames - (next_ + i) > kRingFrames || (is_frame && !begun.keeps(next_ + i, buffer.at[i], 4))) {
      ++overrun;
    } else if (is_frame) {
      if (good != i) buffer.frames[good] = buffer.frames[i];
      ++good;
    }
  }
  return {std::span(buffer.frames).first(good), copied, overrun, copied - good - overrun};
}

// The first frame from `from` on that is in the newest quarters, or `published`. They lie there in the order they were
// written, so it can halve.
std::uint64_t RingReader::oldest_kept(std::uint64_t from, std::uint64_t published, std::size_t quarters) const {
  const Begun begun = this->begun();
  std::uint64_t left = std::min<std::uint64_t>(published - from, kRingFrames);
  from = published - left;
  while (left > 0) {
    const std::uint64_t middle = from + left / 2;
    const std::uint64_t at = ring_.descriptors[middle % kRingFrames].words[0].load(std::memory_order_relaxed);
    if (begun.keeps(middle, at, quarters)) {
      left /= 2;
    } else {
      left -= left / 2 + 1;
      from = middle + 1;
    }
  }
  return from;
}

}  // namespace vif::host::shm
