// SPDX-License-Identifier: BSD-2-Clause
// Puts one thread's records into a ring. The thread of the ring only; never waits, allocates or fails but by counting.
// A record is begun, filled in where it lies, and then committed or abandoned; signal handlers may interrupt that, but
// not begin one of their own before it is over (Writer sees to it).
#pragma once

#include <algorithm>
#include <cstdint>

#include "netstack/base/api.hpp"
#include "services/trace/ring_layout.hpp"

namespace vif::trace {

class VIF_API RingWriter {
 public:
  // Of zeros, of ring_bytes(pages); borrowed. `pages` is 2 or more.
  RingWriter(MutBytes memory, std::size_t pages, WhenFull when_full, std::int32_t thread_id);
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;

  // Room for a record of `bytes`, 8 or more, stamped `now_ns`; a time that went back counts as none passed. Null: there
  // is none, which is counted.
  std::byte* begin(std::size_t bytes, std::uint64_t now_ns) {
    const std::size_t padded = (bytes + 3) & ~std::size_t{3};
    const bool is_long = padded > 4 * kTypeWordsMax;
    const std::uint64_t delta = now_ns > last_ns_ ? now_ns - last_ns_ : 0;
    const std::size_t needed = padded + (is_long ? 8 : 4);
    if (at_ + needed > end_ || delta >> kDeltaBits != 0) [[unlikely]]
      return begin_slowly(padded, now_ns);
    next_ns_ = last_ns_ + delta;
    return put_head(at_, padded, static_cast<std::uint32_t>(delta));
  }
  // The record that was begun is whole.
  void commit() {
    at_ = next_at_;
    last_ns_ = next_ns_;
    ++recorded_;
    page_->commit.store(at_, std::memory_order_release);
  }
  // What was begun counts as never offered: not calling commit() is enough.

  // Counts a record that cannot be written whatever room there is. Also from a signal handler.
  void refuse() { view_.header->refused.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::byte* put_head(std::size_t at, std::size_t padded, std::uint32_t delta) {
    std::byte* const head = data_ + at;
    const bool is_long = padded > 4 * kTypeWordsMax;
    const std::uint32_t type = is_long ? kTypeLong : static_cast<std::uint32_t>(padded / 4);
    store<std::uint32_t, std::endian::native>(head, type | delta << kDeltaShift);
    if (is_long) store<std::uint32_t, std::endian::native>(head + 4, static_cast<std::uint32_t>(padded + 4));
    const std::size_t header = is_long ? 8 : 4;
    next_at_ = at + header + padded;
    store<std::uint32_t, std::endian::native>(head + header + padded - 4, 0);  // padding; payload goes over it
    return head + header;
  }
  std::byte* begin_slowly(std::size_t padded, std::uint64_t now_ns);
  bool begin_page(std::uint64_t now_ns);

  RingView view_;
  WhenFull when_full_;
  RawPage* page_;
  std::byte* data_;                   // of page_
  std::size_t at_ = 0, next_at_ = 0;  // in data_: committed up to, and with the record that was begun
  std::size_t end_ = 0;               // 0: the next record needs a page of its own
  std::uint64_t last_ns_ = 0, next_ns_ = 0;
  std::uint64_t begun_ = 0;  // pages
  std::uint64_t recorded_ = 0, lost_ = 0;
};

}  // namespace vif::trace
