// SPDX-License-Identifier: BSD-2-Clause
// What lies in the memory of a ring: one writer's records, in sub-buffers as Linux's ring buffer writes them
// (kernel/trace/ring_buffer.c, events/header_page and events/header_event), so that tools read them unchanged. The
// writer never waits for the reader, and a reader can look at what is left when the writer's process is dead.
//
// No pointers: page numbers that only grow, page n lying at n % pages. Zeros are a good beginning for all but the
// header's first words.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "netstack/base/bytes.hpp"
#include "services/trace/pages_port.hpp"

namespace vif::trace {

using SharedWord = std::atomic<std::uint64_t>;
static_assert(SharedWord::is_always_lock_free && sizeof(SharedWord) == 8);

// What happens when the reader is too slow.
enum class WhenFull : std::uint8_t {
  discard,    // the newest records are lost
  overwrite,  // the oldest
};

inline constexpr std::size_t kRingPagesMax = 1 << 18;  // 1 GiB
inline constexpr std::size_t kRingsMax = 1 << 16;      // of a session: so many CPUs a trace.dat has
inline constexpr std::size_t kPageHeaderBytes = 16;    // base time and commit
inline constexpr std::size_t kPageDataBytes = kPageBytes - kPageHeaderBytes;
// Our writer leaves room for a count of what was lost before the page; the kernel's does not always.
inline constexpr std::size_t kPageRecordBytes = kPageDataBytes - 8;

struct RingHeader {
  static constexpr std::uint64_t kMagic = 0x676e'6972'6669'7672;  // "rvifring", little endian
  static constexpr std::uint64_t kVersion = 1;                    // of everything in this file

  SharedWord magic;  // written last
  SharedWord version;
  SharedWord pages;
  SharedWord when_full;
  SharedWord thread_id;
  // Page n is as its note and commit say when n < ready; the last of them is being written. It may be being written
  // over when n + pages < begun.
  alignas(64) SharedWord ready;
  SharedWord begun;
  SharedWord lost;     // for want of room; only grows
  SharedWord refused;  // too long for a page, or written by a signal handler amidst another record; only grows
  // The reader's: pages it has done with.
  alignas(64) SharedWord read;
};

// Beside each page, as the page has no room for it.
struct PageNote {
  SharedWord first_event;  // how many events were recorded or lost before this page's first
  SharedWord lost;         // RingHeader::lost then
};

struct RawPage {
  SharedWord time;    // ns, of the first record's delta
  SharedWord commit;  // bytes of data that are whole
  std::byte data[kPageDataBytes];
};
static_assert(sizeof(RawPage) == kPageBytes);

// In `commit` of a page that is handed on: records were lost before it, and their number stands after the data.
inline constexpr std::uint64_t kCommitMissed = std::uint64_t{1} << 31;
inline constexpr std::uint64_t kCommitMissedStored = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kCommitBytes = 0xfffff;

// The low 5 bits of a record's first word; 27 bits of ns since the record before are above. 1 .. 28 is the record's
// length in words; kTypeLong says that the length in bytes is in the word after, which it counts.
inline constexpr std::uint32_t kTypeLong = 0, kTypeWordsMax = 28, kTypePadding = 29, kTypeTimeExtend = 30,
                               kTypeTimeStamp = 31;
inline constexpr unsigned kDeltaShift = 5, kDeltaBits = 27;

// Where things are. `memory` is ring_bytes(pages) long and aligned to a page.
constexpr std::size_t ring_head_bytes(std::size_t pages) {
  return (sizeof(RingHeader) + pages * sizeof(PageNote) + kPageBytes - 1) / kPageBytes * kPageBytes;
}
constexpr std::size_t ring_bytes(std::size_t pages) { return ring_head_bytes(pages) + pages * kPageBytes; }

struct RingView {
  RingHeader* header;
  PageNote* notes;
  RawPage* raw;
  std::size_t pages;

  RingView(MutBytes memory, std::size_t of_pages)
      : header(reinterpret_cast<RingHeader*>(memory.data())),
        notes(reinterpret_cast<PageNote*>(memory.data() + sizeof(RingHeader))),
        raw(reinterpret_cast<RawPage*>(memory.data() + ring_head_bytes(of_pages))),
        pages(of_pages) {}
};

}  // namespace vif::trace
