// SPDX-License-Identifier: BSD-2-Clause
// Bytes on their way from one thread to one other: fixed memory, no lock, never waits. The writer learns when the
// reader has gone to sleep over an empty ring, and wakes it by its own means.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstring>
#include <memory>

#include "netstack/base/bytes.hpp"

namespace vif::host {

class ByteRing {
 public:
  // A power of two. Memory is only touched as it is written.
  explicit ByteRing(std::size_t capacity_bytes) : mask_(capacity_bytes - 1), bytes_(new std::byte[capacity_bytes]) {
    assert(std::has_single_bit(capacity_bytes));
  }

  // --- the writer ---

  // Whether `bytes` more fit.
  bool has_room(std::size_t bytes) {
    if (room() >= bytes) return true;
    consumed_seen_ = consumed_.load(std::memory_order_acquire);
    return room() >= bytes;
  }
  // Copies what has room; not seen by the reader before publish().
  void put(Bytes from) {
    assert(from.size() <= room());
    const std::size_t at = static_cast<std::size_t>(put_) & mask_;
    const std::size_t to_end = std::min(from.size(), mask_ + 1 - at);
    if (to_end > 0) std::memcpy(&bytes_[at], from.data(), to_end);
    if (from.size() > to_end) std::memcpy(&bytes_[0], from.data() + to_end, from.size() - to_end);
    put_ += from.size();
  }
  // True: the reader sleeps and is to be woken, once.
  [[nodiscard]] bool publish() {
    // Ordered before the look at the reader's sleep, as may_sleep() orders its own two the other way round.
    published_.store(put_, std::memory_order_seq_cst);
    return asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_relaxed);
  }

  // --- the reader ---

  // What was published, in two pieces; the second is empty unless it goes on at the front.
  std::array<Bytes, 2> readable() const {
    const std::uint64_t consumed = consumed_.load(std::memory_order_relaxed);
    const auto bytes = static_cast<std::size_t>(published_.load(std::memory_order_acquire) - consumed);
    const std::size_t at = static_cast<std::size_t>(consumed) & mask_;
    const std::size_t to_end = std::min(bytes, mask_ + 1 - at);
    return {Bytes(&bytes_[at], to_end), Bytes(&bytes_[0], bytes - to_end)};
  }
  void consume(std::size_t bytes) {
    consumed_.store(consumed_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }
  // True: the writer will say, or has just said, that there is something: wait for its wake-up. False: read first.
  bool may_sleep() {
    asleep_.store(true, std::memory_order_seq_cst);
    if (published_.load(std::memory_order_seq_cst) == consumed_.load(std::memory_order_relaxed)) return true;
    // Who took it back first: a wake-up that is on its way already is slept for, so that none is left over.
    return !asleep_.exchange(false, std::memory_order_relaxed);
  }

 private:
  std::size_t room() const { return mask_ + 1 - static_cast<std::size_t>(put_ - consumed_seen_); }

  const std::size_t mask_;
  const std::unique_ptr<std::byte[]> bytes_;
  alignas(64) std::uint64_t put_ = 0;  // the writer's
  std::uint64_t consumed_seen_ = 0;    // the writer's: consumed_ when it last looked
  std::atomic<std::uint64_t> published_{0};
  alignas(64) std::atomic<std::uint64_t> consumed_{0};
  std::atomic<bool> asleep_{false};
};

}  // namespace vif::host
