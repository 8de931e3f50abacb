// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/record_ring.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace vif::cn {
namespace {

constexpr std::size_t kBytesMin = 4096;
constexpr std::uint64_t padded(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

RecordRing::RecordRing(std::size_t bytes)
    : capacity_(std::bit_ceil(std::max(bytes, kBytesMin))), bytes_(new std::byte[capacity_]) {}

std::uint64_t RecordRing::free_bytes(std::uint64_t needed) {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  if (capacity_ - (tail - seen_head_) < needed) seen_head_ = head_.load(std::memory_order_acquire);
  return capacity_ - (tail - seen_head_);
}

bool RecordRing::push(Bytes record, std::uint64_t sequence) {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t before = tail;
  const std::uint64_t entry = kEntryHeaderBytes + padded(record.size());
  const std::uint64_t to_end = capacity_ - tail % capacity_;
  const std::uint64_t pad = entry > to_end ? to_end : 0;
  if (entry > capacity_ / 2 || free_bytes(entry + pad) < entry + pad) return lose(1), false;
  if (pad != 0) {
    // Entries are multiples of 8, so that there is room for the one number that matters.
    std::memcpy(&bytes_[tail % capacity_], &kPad, sizeof kPad);
    tail += pad;
  }
  const EntryHeader header{static_cast<std::uint32_t>(record.size()), 0, sequence,
                           lost_.load(std::memory_order_relaxed)};
  std::byte* const at = &bytes_[tail % capacity_];
  std::memcpy(at, &header, sizeof header);
  if (!record.empty()) std::memcpy(at + sizeof header, record.data(), record.size());
  before_last_ = before;
  tail_.store(tail + entry);  // ordered before was_empty()'s look, as may_sleep()'s store and look are
  return true;
}

void RecordRing::give_back() {
  if (reading_ != head_.load(std::memory_order_relaxed)) head_.store(reading_, std::memory_order_release);
}

std::variant<std::monostate, Lost, Record> RecordRing::read() {
  give_back();
  for (;;) {
    // What is lost is looked at first: all that was pushed before it is then seen below.
    const std::uint64_t lost = lost_.load(std::memory_order_acquire);
    if (reading_ == seen_tail_) seen_tail_ = tail_.load(std::memory_order_acquire);
    if (reading_ == seen_tail_) {
      if (lost <= lost_told_) return {};
      return Lost{lost - std::exchange(lost_told_, lost)};
    }
    const std::byte* const at = &bytes_[reading_ % capacity_];
    std::uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    if (bytes == kPad) {
      reading_ += capacity_ - reading_ % capacity_;
      continue;
    }
    EntryHeader header;
    std::memcpy(&header, at, sizeof header);
    const std::uint64_t end = reading_ + kEntryHeaderBytes + padded(header.bytes);
    if (header.sequence > skip_to_ && header.lost_before > lost_told_) {
      return Lost{header.lost_before - std::exchange(lost_told_, header.lost_before)};
    }
    reading_ = end;
    if (header.sequence > skip_to_) return Record{header.sequence, Bytes(at + kEntryHeaderBytes, header.bytes)};
    give_back();
  }
}

void RecordRing::begin_at(const StreamMark& mark) {
  skip_to_ = std::max(skip_to_, mark.sequence);
  lost_told_ = std::max(lost_told_, mark.lost);
}

bool RecordRing::may_sleep() {
  give_back();
  head_.store(reading_);  // ordered before the look at the tail, as push()'s store is before was_empty()'s
  return tail_.load() == reading_ && lost_.load() <= lost_told_;
}

}  // namespace vif::cn
