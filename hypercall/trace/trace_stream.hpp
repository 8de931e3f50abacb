// SPDX-License-Identifier: BSD-2-Clause
// What virtifd sends to a client that records, after the answer to `trace.record` or `trace.extract`: items, one behind
// the other. Both ends are here; docs/protocol.md has the layout for others. Plain values, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

struct TraceItem {
  enum class Kind : std::uint32_t {
    head,  // the events and threads there are, as the head of a trace.dat without pages; replaces the one before
    page,  // of the ring: a sub-buffer of the kernel's format, without the zeros behind its data
    end,   // the last; `body` is how many records were lost in all, 8 bytes
  };

  Kind kind = Kind::head;
  std::uint32_t ring = 0;
  Bytes body = {};
};

inline constexpr std::size_t kTraceItemHeadBytes = 12;
inline constexpr std::size_t kTraceItemBodyBytesMax = 64 << 20;
inline constexpr std::uint32_t kTraceRingsMax = 4096;

// The front of an item, for `body_bytes` that follow.
VIF_API std::array<std::byte, kTraceItemHeadBytes> trace_item_head(const TraceItem& item, std::size_t body_bytes);
VIF_API std::array<std::byte, 8> trace_end_body(std::uint64_t lost);

// The item at the front of `input`; nullopt: more input is needed. EPROTO: that is none.
VIF_API Result<std::optional<TraceItem>> parse_trace_item(Bytes input);
// Of an item that is the end.
VIF_API std::uint64_t lost_of(const TraceItem& item);

// How many bytes of a page are worth sending: its header, its data, and what was lost before it.
VIF_API std::size_t page_bytes_used(Bytes page);

}  // namespace vif::host
