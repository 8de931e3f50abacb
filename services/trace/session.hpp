// SPDX-License-Identifier: BSD-2-Clause
// A recording: which events, which of their records, and a ring for every writer. Several may go on at once, each a
// probe of the Tracing with bits, filters and rings of its own. The control side, one thread at a time; the rings are
// written by their writers, and each is read by one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "services/trace/filter.hpp"
#include "services/trace/pages_port.hpp"
#include "services/trace/ring_reader.hpp"
#include "services/trace/tracing.hpp"
#include "services/trace/writer.hpp"

namespace vif::trace {

// What an export has to know of an event, kept after the event has gone.
struct RecordedEvent {
  std::string system, name;
  std::uint16_t type_id;
  EventFormat format;
};

// Whether Session::enable means the event by that pattern.
VIF_API bool is_meant(std::string_view pattern, const UserEvent& event);

// How many events there are that Session::enable would enable. Errors: enable's.
VIF_API Result<std::size_t> count_events(const Tracing& tracing, std::string_view pattern,
                                         std::string_view filter = {});

class VIF_API Session final : public Probe, private EventWatch {
 public:
  struct Settings {
    WhenFull when_full = WhenFull::discard;
    std::size_t ring_pages = 256;  // of every writer, 2 to kRingPagesMax; untouched ones cost no memory
    PagesPort* rings = nullptr;    // where they lie, as in files that outlive the process; null: with the rest
  };
  // Both are borrowed. EBUSY: kProbesMax probes are there. ENOMEM; EINVAL: ring_pages.
  static Result<std::unique_ptr<Session>> open(Tracing& tracing, PagesPort& pages, const Settings& settings);
  // As stop(), then all is gone, readers() too. No writer may be in a Writer::Section that began before stop().
  ~Session() override;
  // Disables its events and takes the rings from their writers; what is in them stays to be read. Behind it only
  // readers, events and counts are asked for.
  void stop();

  // Enables the events whose "system:name" is of the pattern, now and those registered later: "user_events:net_*" or
  // "*:tick"; the system may be the group's name alone, "virtif:*". Without ':' it is the event's name in any system.
  // `filter`: which records to keep; empty or "0": all. EINVAL and others: the filter's error, when it fits none of the
  // events there are; ENOENT does not happen: the event may be still to come. Events that the filter does not fit stay
  // as they are. Gives how many there were.
  Result<std::size_t> enable(std::string_view pattern, std::string_view filter = {});
  // Of the events that are enabled; and none registered later is any more by a pattern equal to this one.
  void disable(std::string_view pattern);
  // Frees the filters that others took the place of. No Writer::Section that began before enable() may be open.
  void free_replaced_filters() { replaced_.clear(); }

  // A ring for the writer. Until then, what it writes is lost and counted. ENOMEM; EMFILE: kRingsMax are there.
  Status add_writer(Writer& writer);
  // The thread ends: its ring stays to be read. No Section of it may be open.
  void remove_writer(Writer& writer);
  // One for each ring, in the order the writers came.
  const std::vector<std::unique_ptr<RingReader>>& readers() const { return readers_; }
  // Written by threads without a ring.
  std::uint64_t lost_without_ring() const { return lost_.load(std::memory_order_relaxed); }
  // Lost in all, with and without a ring, since it was asked the last time. Exact as RingReader::lost.
  std::uint64_t take_lost();

  const Settings& settings() const { return settings_; }
  // Everything that was enabled at some time, by type id.
  std::vector<RecordedEvent> events() const;
  // Another number whenever events() says something else; 0 as long as it says nothing.
  std::uint64_t generation() const { return generation_; }

  ProbeKind kind() const override { return ProbeKind::ftrace; }
  int record(Writer& writer, const UserEvent& event, const Payload& payload) override;

 private:
  struct Rule {
    std::string pattern, filter;
  };

  Session(Tracing& tracing, PagesPort& pages, const Settings& settings);

  void event_created(UserEvent& event) override;
  void describe(const UserEvent& event);
  Status enable_one(UserEvent& event, std::string_view filter);

  Tracing& tracing_;
  PagesPort& pages_;
  Settings settings_;
  unsigned place_ = kProbesMax;  // stays behind stop(): a writer may be on its way through it
  bool records_ = false;         // it has its place
  std::vector<Rule> rules_;
  Pages filter_pages_;                                        // a FilterTable
  std::map<std::uint16_t, std::unique_ptr<Filter>> filters_;  // by type id
  std::vector<std::unique_ptr<Filter>> replaced_;             // a writer may be looking at one
  std::map<std::uint16_t, RecordedEvent> events_;
  std::uint64_t generation_ = 0;  // of events_
  struct Ring;
  std::vector<std::unique_ptr<Ring>> rings_;
  std::vector<std::unique_ptr<RingReader>> readers_;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t lost_taken_ = 0;
};

}  // namespace vif::trace
