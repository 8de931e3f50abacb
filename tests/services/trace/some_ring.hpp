// SPDX-License-Identifier: BSD-2-Clause
// A ring in the heap, and what comes out of it.
#pragma once

#include <cstdint>
#include <vector>

#include "services/trace/page_events.hpp"
#include "services/trace/ring_reader.hpp"
#include "services/trace/ring_writer.hpp"
#include "tests/services/trace/rig.hpp"

namespace vif::trace {

// What a reader found: the records' own numbers and times, and how many were missing before each.
struct Found {
  std::uint64_t number, time_ns, missed_before;
};

struct SomeRing {
  SomeRing(std::size_t of_pages, WhenFull when_full)
      : pages(heap, ring_bytes(of_pages)), writer(pages.bytes(), of_pages, when_full, 5) {}

  // A record that says its number, `payload` bytes or more.
  bool put(std::uint64_t number, std::uint64_t now_ns, std::size_t payload = 8) {
    std::byte* const at = writer.begin(kRecordHeaderBytes + payload, now_ns);
    if (at == nullptr) return false;
    store<std::uint64_t, std::endian::native>(at + kRecordHeaderBytes, number);
    writer.commit();
    return true;
  }

  std::vector<Found> take(Take take = Take::everything) {
    std::vector<Found> found;
    for (RingReader::Page page; reader.next(page, take);) {
      PageEvents events(page);
      std::uint64_t missed = events.missed();
      for (PageEvent event; events.next(event); missed = 0) {
        const auto number = load<std::uint64_t, std::endian::native>(&event.record[kRecordHeaderBytes]);
        found.push_back({number, event.time_ns, missed});
      }
      damaged |= events.damaged();
    }
    return found;
  }

  HeapPages heap;
  Pages pages;
  RingWriter writer;
  RingReader reader = std::move(RingReader::open(pages.bytes())).value();
  bool damaged = false;
};

}  // namespace vif::trace
