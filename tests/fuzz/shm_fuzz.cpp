// SPDX-License-Identifier: BSD-2-Clause
// A sender's ring where anything may be written at any time: between two reads, while a burst is being looked at, and
// (by a thread of its own, for some inputs) in the middle of a read. The reader stays inside the ring, ends,
// hands on sane frames only, and accounts for what it looked at; a sender that takes the ring over is understood again.
#include <atomic>
#include <cstdint>
#include <thread>

#include "hypercall/shm/frame_descriptor.hpp"
#include "tests/hypercall/shm/one_ring.hpp"

namespace vif::test {
namespace {

namespace shm = host::shm;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

// The input as a list of stores into the shared memory: which word, and what.
class Stores {
 public:
  static constexpr std::size_t kBytes = 10;

  explicit Stores(std::span<const std::uint8_t> input) : input_(input) {}

  std::size_t count() const { return input_.size() / kBytes; }
  // Among the counters, the descriptors the reader comes by, and a few of the bytes.
  void make(std::size_t which, OneRing& ring) const {
    const std::uint8_t* const at = input_.data() + which % count() * kBytes;
    std::uint64_t value = 0;
    std::memcpy(&value, at + 2, sizeof value);
    word(at[0], at[1], ring).store(value, std::memory_order_relaxed);
  }

 private:
  static shm::Word& word(std::uint8_t where, std::size_t index, OneRing& ring) {
    switch (where % 8) {
      case 0:
        return ring.progress->published;
      case 1:
        return ring.progress->begun_frames;
      case 2:
        return ring.progress->begun_bytes;
      case 3:
        return ring.ring->words[index];
      default:
        return ring.ring->descriptors[index / 4].words[index % 4];
    }
  }

  std::span<const std::uint8_t> input_;
};

std::uint8_t read_every_byte(Bytes bytes) {
  std::uint8_t sum = 0;
  for (const std::byte byte : bytes) sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(byte));
  return sum;
}

void look_at(const shm::RingReader::Burst& burst, const Stores& stores, std::size_t& next_store, OneRing& ring) {
  require(burst.looked_at <= shm::ReadBuffer::kFrames && burst.frames.size() <= burst.looked_at);
  require(burst.frames.size() + burst.overrun + burst.malformed >= burst.looked_at);
  for (const drv::RxFrame& frame : burst.frames) {
    require(!frame.bytes.empty() && frame.bytes.size() <= shm::kFrameBytesMax);
    const std::uint8_t before = read_every_byte(frame.bytes);
    stores.make(next_store++, ring);
    require(read_every_byte(frame.bytes) == before);  // it is a private copy
    require(net::OffloadSet::all().takes(frame.offload));
    if (frame.offload.flags & net::Offload::kNeedsChecksum) {
      require(std::size_t{frame.offload.csum_start} + frame.offload.csum_offset + 2 <= frame.bytes.size());
    }
  }
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vif::test;
  static OneRing ring;
  if (size < 2 + Stores::kBytes) return 0;
  ring.clear();
  const Stores stores(std::span(data, size).subspan(2));
  shm::RingReader reader = ring.reader();
  for (unsigned i = 0; i < 12; ++i) ring.write(numbered(14 + i * 50, i));

  std::atomic<bool> done{data[0] % 16 != 0};
  std::thread scribbler;
  if (!done) {
    scribbler = std::thread([&] {
      for (std::size_t i = 0; !done.load(std::memory_order_relaxed); ++i) stores.make(i, ring);
    });
  }
  std::size_t next_store = 0;
  for (std::size_t round = 0; round < 2 * stores.count(); ++round) {
    stores.make(next_store++, ring);
    look_at(reader.read(1 + data[1] % 64, ring.buffer), stores, next_store, ring);
    if (round % 8 == 7) reader.rewind();
    reader.waiting();
  }
  done = true;
  if (scribbler.joinable()) scribbler.join();

  ring.die();
  ring.succeed();
  ring.write(numbered(60, 1));
  for (int i = 0; i < 5000 && reader.read(32, ring.buffer).looked_at > 0; ++i) {
  }
  ring.write(numbered(60, 2));
  require(ring.drain(reader) == OneRing::Drained{{numbered(60, 2)}, 0, 0});
  return 0;
}
