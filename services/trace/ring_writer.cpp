// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/ring_writer.hpp"

namespace vif::trace {
namespace {

constexpr std::size_t kExtendBytes = 8;

}  // namespace

RingWriter::RingWriter(MutBytes memory, std::size_t pages, WhenFull when_full, std::int32_t thread_id)
    : view_(memory, pages), when_full_(when_full), page_(view_.raw), data_(page_->data) {
  RingHeader& header = *view_.header;
  header.version.store(RingHeader::kVersion, std::memory_order_relaxed);
  header.pages.store(pages, std::memory_order_relaxed);
  header.when_full.store(static_cast<std::uint64_t>(when_full), std::memory_order_relaxed);
  header.thread_id.store(static_cast<std::uint32_t>(thread_id), std::memory_order_relaxed);
  header.magic.store(RingHeader::kMagic, std::memory_order_release);
}

// The page is full, or so much time passed that its number of ns needs a record of its own.
std::byte* RingWriter::begin_slowly(std::size_t padded, std::uint64_t now_ns) {
  const std::size_t needed = padded + (padded > 4 * kTypeWordsMax ? 8 : 4);
  if (needed > kPageRecordBytes) {
    refuse();
    return nullptr;
  }
  const std::uint64_t delta = now_ns > last_ns_ ? now_ns - last_ns_ : 0;
  const bool extends = delta >> kDeltaBits != 0;
  if (at_ + needed + (extends ? kExtendBytes : 0) > end_) {
    if (!begin_page(std::max(now_ns, last_ns_))) return nullptr;
    next_ns_ = last_ns_;
    return put_head(0, padded, 0);
  }
  std::byte* const head = data_ + at_;
  const std::uint32_t low = static_cast<std::uint32_t>(delta & ((1U << kDeltaBits) - 1));
  store<std::uint32_t, std::endian::native>(head, kTypeTimeExtend | low << kDeltaShift);
  store<std::uint32_t, std::endian::native>(head + 4, static_cast<std::uint32_t>(delta >> kDeltaBits));
  next_ns_ = now_ns;
  return put_head(at_ + kExtendBytes, padded, 0);
}

bool RingWriter::begin_page(std::uint64_t now_ns) {
  RingHeader& header = *view_.header;
  if (when_full_ == WhenFull::discard && begun_ - header.read.load(std::memory_order_acquire) >= view_.pages) {
    end_ = 0;  // a shorter record may not slip in after this one: readers count by page
    header.lost.store(++lost_, std::memory_order_relaxed);
    return false;
  }
  // Said before anything is written over; a reader looks again after it copied.
  header.begun.store(begun_ + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  page_ = view_.raw + begun_ % view_.pages;
  data_ = page_->data;
  PageNote& note = view_.notes[begun_ % view_.pages];
  ++begun_;
  page_->commit.store(0, std::memory_order_relaxed);
  page_->time.store(now_ns, std::memory_order_relaxed);
  note.first_event.store(recorded_ + lost_, std::memory_order_relaxed);
  note.lost.store(lost_, std::memory_order_relaxed);
  header.ready.store(begun_, std::memory_order_release);
  at_ = 0;
  end_ = kPageRecordBytes;
  last_ns_ = now_ns;
  return true;
}

}  // namespace vif::trace
