// SPDX-License-Identifier: BSD-2-Clause
// A recording as a tracing directory, from which `trace-cmd restore` makes the head of a trace.dat: no tool but that
// one needs to know how a trace.dat is built. Values, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "netstack/base/api.hpp"
#include "services/trace/session.hpp"

namespace vif::trace {

struct TreeFile {
  std::string path;  // below the directory; its folders are to be made
  std::string text;
};

// A thread, for people.
struct ThreadName {
  std::int32_t thread_id;
  std::string name;  // up to 15 characters are shown
};

// The files, each event's format among them. Sources: a live kernel's events/header_page, events/header_event and
// events/ftrace/print/format, which tools insist on.
VIF_API std::vector<TreeFile> tracing_tree(std::span<const RecordedEvent> events, std::span<const ThreadName> threads);

}  // namespace vif::trace
