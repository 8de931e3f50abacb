// SPDX-License-Identifier: BSD-2-Clause
// A ring of one sender in this process's own memory, for tests and the fuzz target.
#pragma once

#include <memory>
#include <ostream>

#include "hypercall/shm/ring_reader.hpp"
#include "hypercall/shm/ring_writer.hpp"
#include "tests/support/frames.hpp"

namespace vif::test {

// A frame of `bytes` (4 or more) that is like no other.
inline Frame numbered(std::size_t bytes, unsigned number) {
  Frame frame = counting(bytes);
  std::memcpy(frame.data(), &number, sizeof number);
  return frame;
}

struct OneRing {
  std::unique_ptr<host::shm::Progress> progress = std::make_unique<host::shm::Progress>();
  std::unique_ptr<host::shm::Ring> ring = std::make_unique<host::shm::Ring>();
  host::shm::ReadBuffer buffer;
  std::unique_ptr<host::shm::RingWriter> writer = std::make_unique<host::shm::RingWriter>(*progress, *ring);

  host::shm::RingReader reader() const { return {*progress, *ring}; }

  void write(const Frame& frame, std::size_t slices = 1, net::Offload offload = {}, std::int64_t timestamp_ns = 1) {
    std::vector<Bytes> pieces;
    Bytes left = frame;
    for (; slices > 1 && left.size() > 1; --slices) {
      const std::size_t piece = std::max<std::size_t>(1, left.size() / slices);
      pieces.push_back(left.first(piece));
      left = left.subspan(piece);
    }
    pieces.push_back(left);
    const drv::TxFrame sent{pieces, static_cast<std::uint32_t>(frame.size()), offload};
    writer->write({&sent, 1}, timestamp_ns);
  }

  // As new, but for the bytes.
  void clear() {
    writer.reset();
    for (host::shm::Word* counter : {&progress->published, &progress->begun_frames, &progress->begun_bytes})
      *counter = 0;
    for (host::shm::Descriptor& descriptor : ring->descriptors) {
      for (host::shm::Word& word : descriptor.words) word.store(0, std::memory_order_relaxed);
    }
    succeed();
  }

  // The sender is killed: its writer says nothing more.
  void die() {
    const std::array<std::uint64_t, 3> last = {progress->published, progress->begun_frames, progress->begun_bytes};
    writer.reset();
    progress->published = last[0];
    progress->begun_frames = last[1];
    progress->begun_bytes = last[2];
  }
  // It is gone, and the next one takes its ring over.
  void succeed() {
    writer.reset();
    writer = std::make_unique<host::shm::RingWriter>(*progress, *ring);
  }

  struct Drained {
    std::vector<Frame> frames;
    std::uint64_t overrun = 0, malformed = 0;
    friend bool operator==(const Drained&, const Drained&) = default;
    friend void PrintTo(const Drained& drained, std::ostream* to) {
      *to << drained.frames.size() << " frames, " << drained.overrun << " overrun, " << drained.malformed
          << " malformed";
    }
  };
  Drained drain(host::shm::RingReader& reader) {
    Drained drained;
    for (;;) {
      const host::shm::RingReader::Burst burst = reader.read(host::shm::ReadBuffer::kFrames, buffer);
      if (burst.looked_at == 0) return drained;
      for (const drv::RxFrame& frame : burst.frames)
        drained.frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
      drained.overrun += burst.overrun;
      drained.malformed += burst.malformed;
    }
  }
};

}  // namespace vif::test
