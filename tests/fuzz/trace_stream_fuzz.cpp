// SPDX-License-Identifier: BSD-2-Clause
// What comes from a virtifd that records, or from whoever says it is one: items lie in what came, and are the same when
// they are written again; pages are no longer than a page says.
#include <cstring>

#include "hypercall/trace/trace_stream.hpp"

using namespace vif;

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest = std::as_bytes(std::span(data, size));
  for (;;) {
    const Result<std::optional<host::TraceItem>> item = host::parse_trace_item(rest);
    if (!item || !*item) return 0;
    const Bytes body = (**item).body;
    require(body.data() == rest.data() + host::kTraceItemHeadBytes &&
            body.size() <= rest.size() - host::kTraceItemHeadBytes);
    const auto head = host::trace_item_head(**item, body.size());
    require(std::memcmp(head.data(), rest.data(), head.size()) == 0);
    if ((**item).kind == host::TraceItem::Kind::page) require(host::page_bytes_used(body) <= body.size());
    if ((**item).kind == host::TraceItem::Kind::end) {
      const auto end = host::trace_end_body(host::lost_of(**item));
      require(std::memcmp(end.data(), body.data(), end.size()) == 0);
    }
    rest = rest.subspan(host::kTraceItemHeadBytes + body.size());
  }
}
