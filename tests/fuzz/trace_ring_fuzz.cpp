// SPDX-License-Identifier: BSD-2-Clause
// Rings that hold any bytes, as a process that went wrong may leave them, and that change between two reads: reading
// ends, what is read lies in the page that was handed out, and that page reads the same a second time.
#include <algorithm>
#include <cstring>

#include "services/trace/page_events.hpp"
#include "services/trace/ring_reader.hpp"
#include "services/trace/ring_writer.hpp"
#include "tests/services/trace/rig.hpp"

using namespace vif;
using namespace vif::trace;

namespace {

constexpr std::size_t kPages = 3;
constexpr std::size_t kHeaderBytes = sizeof(RingHeader) + kPages * sizeof(PageNote);
constexpr std::size_t kOpenedBytes = 40;  // of the header: looked at by open() alone

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

std::size_t records_of(const RingReader::Page& page) {
  std::size_t records = 0;
  PageEvents events(page);
  for (PageEvent event; events.next(event); ++records) {
    require(event.record.size() >= kRecordHeaderBytes && event.record.data() > page.data());
    require(event.record.data() + event.record.size() <= page.data() + page.size());
  }
  return records;
}

void read_to_end(RingReader& reader) {
  RingReader::Page page;
  std::uint64_t taken = reader.taken();
  for (std::size_t pages = 0; reader.next(page, Take::everything); ++pages) {
    require(pages < kPages);
    taken += records_of(page);
    require(reader.taken() == taken);
  }
}

}  // namespace

// The input: the header of the ring, the beginnings of its pages, and headers that come later.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  HeapPages heap;
  const Pages pages(heap, ring_bytes(kPages));
  std::byte* const memory = pages.bytes().data();
  RingWriter(pages.bytes(), kPages, data[0] % 2 == 0 ? WhenFull::discard : WhenFull::overwrite, 1);
  std::span<const std::uint8_t> rest(data + 1, size - 1);
  const auto put = [&](std::size_t at, std::size_t bytes) {
    const std::size_t taken = std::min(rest.size(), bytes);
    if (taken != 0) std::memcpy(memory + at, rest.data(), taken);
    rest = rest.subspan(taken);
  };
  // What open() looks at is for the most part left alone, or hardly anything would come behind it.
  const std::size_t from = data[0] % 8 < 6 ? kOpenedBytes : 0;
  put(from, kHeaderBytes - from);
  for (std::size_t page = 0; page < kPages; ++page) put(ring_head_bytes(kPages) + page * kPageBytes, kPageBytes / 4);
  Result<RingReader> reader = RingReader::open(pages.bytes());
  if (!reader) return 0;
  for (read_to_end(*reader); !rest.empty(); read_to_end(*reader)) put(kOpenedBytes, kHeaderBytes - kOpenedBytes);
  return 0;
}
