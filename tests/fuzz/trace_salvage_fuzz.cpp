// SPDX-License-Identifier: BSD-2-Clause
// The file of a dead process's ring, as anybody may have written it: reading
// ends, does not leave the file, and what was taken is a recording that can be
// read, with as many records.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "services/trace/dead_ring.hpp"
#include "services/trace/page_events.hpp"
#include "services/trace/ring_writer.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "services/trace/trace_dat_reader.hpp"
#include "tests/services/trace/rig.hpp"

using namespace vif;
using namespace vif::trace;

namespace {

constexpr std::size_t kPages = 4;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace

// The input: whether the first words are left as they should be, then the file
// from there on, or from its begin.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  HeapPages heap;
  const Pages room(heap, ring_bytes(kPages));
  const bool is_opened = data[0] % 4 != 0;
  if (is_opened) RingWriter(room.bytes(), kPages, data[0] % 8 < 4 ? WhenFull::discard : WhenFull::overwrite, 1);
  const std::size_t from = is_opened ? 40 : 0;  // of the header: what open() looks at
  const std::size_t bytes = std::min(size - 1, room.bytes().size() - from);
  if (bytes != 0) std::memcpy(room.bytes().data() + from, data + 1, bytes);

  std::string pages;
  std::uint64_t records = 0;
  const Result<DeadRing> taken = take_dead_ring(room.bytes(), [&](Bytes page) {
    require(page.size() == kPageBytes && pages.size() < kPages * kPageBytes);
    pages.append(reinterpret_cast<const char*>(page.data()), page.size());
    PageEvents events(page);
    for (PageEvent event; events.next(event);) ++records;
    return Status();
  });
  if (!taken) return 0;
  require(taken->records == records);
  const RecordedEvent tick{"user_events", "tick", 2000, *EventFormat::parse("tick u32 n; __rel_loc char[] text")};
  const std::array<std::uint64_t, 1> ring_pages = {pages.size() / kPageBytes};
  const std::string file = trace_dat_head(std::span(&tick, 1), {}, ring_pages) + pages;
  Result<TraceDatReader> reader = TraceDatReader::open(as_bytes(file));
  require(reader.has_value());
  for (TraceDatReader::Record record{}; reader->next(record);) require(records-- != 0);
  return 0;
}
