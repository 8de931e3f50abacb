// SPDX-License-Identifier: BSD-2-Clause
// What a trace.dat begins with, before the pages of its rings: trace-cmd.dat.v6(5), version 6 of the format, which
// every trace-cmd and KernelShark reads, little-endian and with 8-byte longs. Values, any thread.
//
//   magic, version, sizes; header_page, header_event; the print event; each event's format, by system; no symbols and
//   printk formats; names of threads; then for each CPU, which here is a ring, where its pages are and how many bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "netstack/base/api.hpp"
#include "services/trace/session.hpp"

namespace vif::trace {

// Of the print event, which every head has: a record of it is a line of a trace_marker.
inline constexpr const char* kFtraceSystem = "ftrace";

// A thread, for people.
struct ThreadName {
  std::int32_t thread_id;
  std::string name;  // up to 15 characters are shown
};

// Names of events and fields are made C identifiers, for libtraceevent reads no others: "ev.0" is "ev_0" there, and
// where that is taken "ev_0_2". The head's length, a multiple of kPageBytes, does not depend on how many pages there
// are: they may be written behind it first. `ring_pages`: of each ring, which lie behind the head in this order.
VIF_API std::string trace_dat_head(std::span<const RecordedEvent> events, std::span<const ThreadName> threads,
                                   std::span<const std::uint64_t> ring_pages);

}  // namespace vif::trace
