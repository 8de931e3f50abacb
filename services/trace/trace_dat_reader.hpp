// SPDX-License-Identifier: BSD-2-Clause
// Reads a trace.dat of version 6 (trace-cmd.dat.v6(5)), little-endian: what trace_dat_head.hpp begins, and what
// trace-cmd writes or converts. The one reader of it; believes nothing, as files come from anywhere. A value over
// borrowed bytes, one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/page_events.hpp"
#include "services/trace/session.hpp"

namespace vif::trace {

class VIF_API TraceDatReader {
 public:
  // `file`: all of it, for as long as this lives. EINVAL: not such a file; the text says what was expected.
  static Result<TraceDatReader> open(Bytes file);

  struct Record {
    std::uint64_t time_ns;
    std::size_t cpu;  // of the file; ours has one for each ring
    std::int32_t thread_id;
    const RecordedEvent* event;
    Bytes record;               // header and payload, with up to 3 bytes of padding
    std::uint64_t lost_before;  // on this CPU, since the record before it; at least so many
  };
  // The next in the order of time; those of events that the file does not describe are left out. False: no more.
  bool next(Record& record);
  // Whether pages were found that could not be read to their end.
  bool damaged() const { return damaged_; }

  // Of the kernel's tracing instances beside the main one, whose records the file has and next() leaves out.
  const std::vector<std::string>& instances() const { return instances_; }

  std::size_t cpus() const { return rings_.size(); }
  const std::map<std::uint16_t, RecordedEvent>& events() const { return events_; }
  std::string_view thread_name(std::int32_t thread_id) const;  // empty: the file has none
  const std::map<std::int32_t, std::string>& threads() const { return threads_; }

 private:
  friend class TraceDatHead;

  // A CPU's pages, and its next record.
  struct Ring {
    Bytes pages;
    std::optional<PageEvents> page;
    std::optional<PageEvent> next;
    std::uint64_t lost_before = 0;
  };

  void advance(Ring& ring);

  std::map<std::uint16_t, RecordedEvent> events_;
  std::map<std::int32_t, std::string> threads_;
  std::vector<Ring> rings_;
  std::vector<std::string> instances_;
  bool damaged_ = false;
};

}  // namespace vif::trace
