// SPDX-License-Identifier: BSD-2-Clause
// One record into one lane: filter, room, header, payload, commit. What the fast path and the general one share. The
// writer's thread, inside a Writer::Section.
#pragma once

#include <array>
#include <cerrno>
#include <cstring>

#include "services/trace/group.hpp"
#include "services/trace/writer.hpp"

namespace vif::trace {

// A record to be made.
struct RecordOf {
  const UserEvent& event;
  std::size_t payload_bytes;
  std::uint64_t now_ns;
};

// Header and payload into `at`. Whether it may be kept.
template <class Put>
inline bool put_record(std::byte* at, const Writer& writer, const RecordOf& what, const Put& put) {
  store<std::uint16_t, std::endian::native>(at, what.event.type_id);
  store<std::uint16_t, std::endian::native>(at + 2, 0);  // common_flags, common_preempt_count
  store<std::uint32_t, std::endian::native>(at + 4, static_cast<std::uint32_t>(writer.thread_id()));
  return put(MutBytes(at + kRecordHeaderBytes, what.payload_bytes));
}

// Made beside the ring first, so that what is filtered out neither takes room nor counts as lost.
template <class Put>
inline int record_filtered(const Writer& writer, const Filter& filter, RingWriter& ring, const RecordOf& what,
                           const Put& put) {
  std::array<std::byte, kPageRecordBytes> record;
  const std::size_t bytes = kRecordHeaderBytes + what.payload_bytes;
  if (bytes > record.size()) {
    ring.refuse();
    return 0;
  }
  if (!put_record(record.data(), writer, what, put)) return EFAULT;
  if (!filter.matches(std::span(record).first(bytes))) return 0;
  if (std::byte* const at = ring.begin(bytes, what.now_ns); at != nullptr) {
    std::memcpy(at, record.data(), bytes);
    ring.commit();
  }
  return 0;
}

// `ring` is the lane's, loaded once: it may be taken away meanwhile, but is there until the Section is over.
// `put(MutBytes)` fills the payload and says whether it may be kept. 0, or EFAULT when it said no.
template <class Put>
inline int record_into(const Writer& writer, const Writer::Lane& lane, RingWriter& ring, const RecordOf& what,
                       const Put& put) {
  if (writer.nested()) [[unlikely]] {
    ring.refuse();
    return 0;
  }
  const FilterTable* const filters = lane.filters.load(std::memory_order_relaxed);
  const Filter* const filter = filters[what.event.type_id - kFirstTypeId].load(std::memory_order_acquire);
  if (filter != nullptr) return record_filtered(writer, *filter, ring, what, put);
  std::byte* const at = ring.begin(kRecordHeaderBytes + what.payload_bytes, what.now_ns);
  if (at == nullptr) [[unlikely]]
    return 0;  // counted
  if (!put_record(at, writer, what, put)) return EFAULT;
  ring.commit();
  return 0;
}

}  // namespace vif::trace
