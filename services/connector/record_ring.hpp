// SPDX-License-Identifier: BSD-2-Clause
// What waits for one reader: a bounded ring of records, from one writing thread to one reading thread, without locks.
// Full means that the new record is lost, and the reader learns how many were, exactly where they would have been:
// every record carries how many were lost before it since the beginning.
#pragma once

#include <atomic>
#include <memory>
#include <variant>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::cn {

struct Lost {
  std::uint64_t count;  // records missing at this place
};
struct Record {
  std::uint64_t sequence;  // its number on the bus
  Bytes bytes;             // until the ring's next read()
};
// A place in the stream, to begin at.
struct StreamMark {
  std::uint64_t sequence = 0, lost = 0;
};

class VIF_API RecordRing {
 public:
  static constexpr std::size_t kEntryHeaderBytes = 24;

  // `bytes` for records and a header each; rounded up to a power of two, at least 4096. Allocates here only.
  explicit RecordRing(std::size_t bytes);

  // --- the writer's thread ---

  // Copies the record in. False: no room, it is lost. A record larger than half the ring never fits.
  bool push(Bytes record, std::uint64_t sequence);
  // Nobody could give the reader these.
  void lose(std::uint64_t count) { lost_.store(lost_.load(std::memory_order_relaxed) + count); }
  // The reader had taken all before the last push: it may be asleep.
  bool was_empty() const { return head_.load() == before_last_; }
  StreamMark mark(std::uint64_t sequence) const { return {sequence, lost_.load(std::memory_order_relaxed)}; }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

  // --- the reader's thread ---

  // In order; monostate: nothing more. Gives back the room of the record read before.
  std::variant<std::monostate, Lost, Record> read();
  // Leaves out what came before the mark, and what was lost there.
  void begin_at(const StreamMark& mark);
  // Whether there is nothing to read; the writer sees was_empty() after its next push if so.
  bool may_sleep();

 private:
  struct EntryHeader {
    std::uint32_t bytes;  // of the record; kPad: the rest of the ring is left out
    std::uint32_t unused;
    std::uint64_t sequence, lost_before;
  };
  static_assert(sizeof(EntryHeader) == kEntryHeaderBytes);
  static constexpr std::uint32_t kPad = UINT32_MAX;

  std::uint64_t free_bytes(std::uint64_t needed);
  void give_back();

  const std::uint64_t capacity_;
  std::unique_ptr<std::byte[]> bytes_;
  // The writer's. Places count on for ever; the ring is where they are modulo its size.
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t seen_head_ = 0, before_last_ = 0;
  std::atomic<std::uint64_t> lost_{0};
  // The reader's.
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::uint64_t seen_tail_ = 0, reading_ = 0;  // the end of what it has in hand
  std::uint64_t lost_told_ = 0, skip_to_ = 0;
};

}  // namespace vif::cn
