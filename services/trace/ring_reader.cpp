// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/ring_reader.hpp"

#include <algorithm>
#include <cerrno>

#include "services/trace/page_events.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIF_RACE_IS_CHECKED __attribute__((no_sanitize("thread")))
#endif
#elif defined(__SANITIZE_THREAD__)
#define VIF_RACE_IS_CHECKED __attribute__((no_sanitize("thread")))
#endif
#ifndef VIF_RACE_IS_CHECKED
#define VIF_RACE_IS_CHECKED
#endif

namespace vif::trace {
namespace {

// The writer may be writing over these very bytes; then the copy is thrown away (RingReader::next). Volatile, as TSan
// looks at atomic reads even here.
VIF_RACE_IS_CHECKED void copy_words(const std::byte* from, std::byte* to, std::size_t bytes) {
  const auto* const words = reinterpret_cast<const volatile std::uint32_t*>(from);
  for (std::size_t at = 0; at < bytes; at += 4) store<std::uint32_t, std::endian::native>(to + at, words[at / 4]);
}

}  // namespace

Result<RingReader> RingReader::open(MutBytes memory) {
  if (memory.size() < ring_bytes(2)) return fail(EINVAL, "too short for a ring");
  const RingHeader& header = *reinterpret_cast<const RingHeader*>(memory.data());
  if (header.magic.load(std::memory_order_acquire) != RingHeader::kMagic ||
      header.version.load() != RingHeader::kVersion) {
    return fail(EINVAL, "no ring of records, or one of another version");
  }
  const std::uint64_t pages = header.pages.load(), when_full = header.when_full.load();
  if (pages < 2 || pages > kRingPagesMax || ring_bytes(pages) > memory.size() || when_full > 1) {
    return fail(EINVAL, "a ring that says it has " + std::to_string(pages) + " pages");
  }
  return RingReader(memory, pages, static_cast<WhenFull>(when_full));
}

RingReader::RingReader(MutBytes memory, std::size_t pages, WhenFull when_full)
    : view_(memory, pages),
      when_full_(when_full),
      thread_id_(static_cast<std::int32_t>(view_.header->thread_id.load(std::memory_order_relaxed))) {}

std::uint64_t RingReader::lost() const {
  const std::uint64_t lost = view_.header->lost.load(std::memory_order_relaxed);
  return missed_ + (lost - lost_before_) + view_.header->refused.load(std::memory_order_relaxed);
}

// Copies page `number_` as far as it is committed. False: it was written over meanwhile.
bool RingReader::copy(Page& into, std::uint64_t& first_event, std::uint64_t& lost) {
  const std::size_t place = number_ % view_.pages;
  const RawPage& page = view_.raw[place];
  const std::uint64_t commit = std::min<std::uint64_t>(page.commit.load(std::memory_order_acquire), kPageDataBytes);
  store<std::uint64_t, std::endian::native>(&into[0], page.time.load(std::memory_order_relaxed));
  store<std::uint64_t, std::endian::native>(&into[8], commit);
  copy_words(page.data, &into[kPageHeaderBytes], (commit + 3) & ~std::uint64_t{3});
  first_event = view_.notes[place].first_event.load(std::memory_order_relaxed);
  lost = view_.notes[place].lost.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  return view_.header->begun.load(std::memory_order_relaxed) <= number_ + view_.pages;
}

bool RingReader::next(Page& into, Take take) {
  for (;;) {
    const std::uint64_t ready = view_.header->ready.load(std::memory_order_acquire);
    // Not number_ + pages: in a ring full of nonsense that begins anew at 0, and reading would not end.
    if (const std::uint64_t oldest = ready - std::min<std::uint64_t>(ready, view_.pages); number_ < oldest) {
      number_ = oldest;
      consumed_ = 0;
    }
    if (number_ >= ready) return false;
    const bool whole = number_ + 1 < ready;
    if (!whole && take == Take::whole) return false;
    std::uint64_t first_event = 0, lost = 0;
    if (!copy(into, first_event, lost)) {
      ++number_;  // the page after it is the oldest there is now
      consumed_ = 0;
      continue;
    }
    const std::size_t committed = load<std::uint64_t, std::endian::native>(&into[8]);
    const bool is_new = committed > consumed_;
    if (is_new) {
      lost_before_ = lost;
      finish(into, first_event);
    }
    if (whole) {
      ++number_;
      consumed_ = 0;
      if (when_full_ == WhenFull::discard) view_.header->read.store(number_, std::memory_order_release);
    } else if (is_new) {
      consumed_ = committed;
    }
    if (is_new) return true;
    if (!whole) return false;
  }
}

// Leaves out what was taken earlier, counts, and says what was lost before.
void RingReader::finish(Page& into, std::uint64_t first_event) {
  std::uint64_t committed = load<std::uint64_t, std::endian::native>(&into[8]);
  std::uint64_t missed = 0;
  if (consumed_ != 0) {
    const auto data = into.begin() + kPageHeaderBytes;
    committed -= consumed_;
    std::copy_n(data + static_cast<std::ptrdiff_t>(consumed_), committed, data);
    store<std::uint64_t, std::endian::native>(&into[0], consumed_ns_);
    store<std::uint64_t, std::endian::native>(&into[8], committed);
  } else {
    missed = first_event - expected_;
    expected_ = first_event;
  }
  PageEvents events(into);
  for (PageEvent event; events.next(event);) ++expected_, ++taken_;
  consumed_ns_ = events.time_ns();
  missed_ += missed;
  const auto rest = std::span(into).subspan(kPageHeaderBytes + committed);
  std::fill(rest.begin(), rest.end(), std::byte{0});
  if (missed == 0) return;
  const bool stored = rest.size() >= 8;
  if (stored) store<std::uint64_t, std::endian::native>(rest.data(), missed);
  store<std::uint64_t, std::endian::native>(&into[8], committed | kCommitMissed | (stored ? kCommitMissedStored : 0));
}

}  // namespace vif::trace
