// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/ring_writer.hpp"

#include <algorithm>

#include "hypercall/shm/frame_descriptor.hpp"

namespace vif::host::shm {
namespace {

// Where `bytes` go when `from` is the first free byte: there, or at the ring's beginning when they would wrap.
std::uint64_t place(std::uint64_t from, std::uint32_t bytes) {
  const std::uint64_t left = kRingBytes - from % kRingBytes;
  return bytes <= left ? from : from + left;
}

}  // namespace

RingWriter::RingWriter(Progress& progress, Ring& ring)
    : progress_(progress),
      ring_(ring),
      frames_(progress.published.load(std::memory_order_relaxed)),
      bytes_(whole_blocks(progress.begun_bytes.load(std::memory_order_relaxed))) {
  begin_next();
  Cached::done();
}

RingWriter::~RingWriter() {
  progress_.begun_frames.store(frames_, std::memory_order_relaxed);
  progress_.begun_bytes.store(bytes_, std::memory_order_relaxed);
}

// Says what the next burst may write over, before it does; that nothing of it was written yet costs readers nothing but
// the oldest frames. So no burst has to wait until this is seen: it is, by whoever saw the one before.
void RingWriter::begin_next() {
  progress_.begun_frames.store(frames_ + kBurstFrames, std::memory_order_relaxed);
  progress_.begun_bytes.store(bytes_ + kBurstBytes, std::memory_order_relaxed);
}

void RingWriter::write(std::span<const drv::TxFrame> frames, std::int64_t timestamp_ns) {
  while (!frames.empty()) {
    const bool stream = frames.size() >= kStreamFrames || frames[0].bytes >= kStreamBytes;
    if (stream && !streaming_) Streaming::done();
    streaming_ = stream;
    frames = frames.subspan(stream ? write_burst<Streaming>(frames, timestamp_ns)
                                   : write_burst<Cached>(frames, timestamp_ns));
  }
}

template <class Way>
std::size_t RingWriter::write_burst(std::span<const drv::TxFrame> frames, std::int64_t timestamp_ns) {
  std::uint64_t end = bytes_;
  std::size_t n = 0;
  for (; n < std::min(frames.size(), kBurstFrames); ++n) {
    const FrameDescriptor frame{place(end, frames[n].bytes), frames[n].bytes, frames[n].offload, timestamp_ns};
    if (frame.end() - bytes_ > kBurstBytes) break;
    frame.store<Way>(ring_.descriptors[(frames_ + n) % kRingFrames]);
    store_pieces<Way>(&ring_.words[frame.offset() / sizeof(Word)], frames[n].slices);
    end = frame.end();
  }
  frames_ += n;
  bytes_ = end;
  begin_next();
  Way::done();
  progress_.published.store(frames_, std::memory_order_release);
  return n;
}

}  // namespace vif::host::shm
