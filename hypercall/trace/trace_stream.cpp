// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_stream.hpp"

#include <algorithm>
#include <cerrno>

#include "services/trace/ring_layout.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kEndBytes = 8;

template <class T>
void put(std::byte* to, T value) {
  store<T, std::endian::little>(to, value);
}
template <class T>
T get(const std::byte* from) {
  return load<T, std::endian::little>(from);
}

bool fits(TraceItem::Kind kind, std::size_t body_bytes) {
  switch (kind) {
    case TraceItem::Kind::head:
      return body_bytes <= kTraceItemBodyBytesMax;
    case TraceItem::Kind::page:
      return body_bytes >= trace::kPageHeaderBytes && body_bytes <= trace::kPageBytes;
    case TraceItem::Kind::end:
      return body_bytes == kEndBytes;
  }
  return false;
}

}  // namespace

std::array<std::byte, kTraceItemHeadBytes> trace_item_head(const TraceItem& item, std::size_t body_bytes) {
  std::array<std::byte, kTraceItemHeadBytes> head;
  put(&head[0], static_cast<std::uint32_t>(body_bytes));
  put(&head[4], static_cast<std::uint32_t>(item.kind));
  put(&head[8], item.ring);
  return head;
}

std::array<std::byte, 8> trace_end_body(std::uint64_t lost) {
  std::array<std::byte, kEndBytes> body;
  put(body.data(), lost);
  return body;
}

Result<std::optional<TraceItem>> parse_trace_item(Bytes input) {
  if (input.size() < kTraceItemHeadBytes) return std::optional<TraceItem>();
  const auto body_bytes = get<std::uint32_t>(&input[0]);
  TraceItem item{.kind = static_cast<TraceItem::Kind>(get<std::uint32_t>(&input[4])),
                 .ring = get<std::uint32_t>(&input[8])};
  if (!fits(item.kind, body_bytes) || item.ring >= kTraceRingsMax) {
    return fail(EPROTO, "this is no virtifd: a piece of a recording was expected");
  }
  if (input.size() - kTraceItemHeadBytes < body_bytes) return std::optional<TraceItem>();
  item.body = input.subspan(kTraceItemHeadBytes, body_bytes);
  return std::optional(item);
}

std::uint64_t lost_of(const TraceItem& item) {
  return item.body.size() == kEndBytes ? get<std::uint64_t>(item.body.data()) : 0;
}

std::size_t page_bytes_used(Bytes page) {
  const std::uint64_t commit = load<std::uint64_t, std::endian::native>(&page[8]);
  const std::uint64_t stored = (commit & trace::kCommitMissedStored) != 0 ? 8 : 0;
  return std::min<std::size_t>(trace::kPageHeaderBytes + (commit & trace::kCommitBytes) + stored, page.size());
}

}  // namespace vif::host
