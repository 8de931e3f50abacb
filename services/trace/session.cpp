// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/session.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "services/trace/record.hpp"

namespace vif::trace {
namespace {

constexpr std::size_t kFilterTableBytes = (kTypeIds * sizeof(FilterTable) + kPageBytes - 1) / kPageBytes * kPageBytes;

}  // namespace

bool is_meant(std::string_view pattern, const UserEvent& event) {
  const std::size_t colon = pattern.find(':');
  if (colon == std::string_view::npos) return glob_matches(pattern, event.name);
  const std::string_view system = pattern.substr(0, colon);
  const bool there = glob_matches(system, event.system()) || glob_matches(system, event.group.name());
  return there && glob_matches(pattern.substr(colon + 1), event.name);
}

Result<std::size_t> count_events(const Tracing& tracing, std::string_view pattern, std::string_view filter) {
  std::size_t count = 0;
  Status refused;  // the first time
  for (const Group* group : tracing.groups()) {
    for (const UserEvent* event : group->events()) {
      if (!is_meant(pattern, *event)) continue;
      const auto parsed = Filter::parse_or_none(filter, event->format);
      if (parsed) ++count;
      else if (refused) refused = parsed.error();
    }
  }
  if (count == 0 && !refused) return std::move(refused).error();
  return count;
}

struct Session::Ring {
  Ring(PagesPort& port, const Settings& settings, Writer& of)
      : pages(port, ring_bytes(settings.ring_pages)), thread(&of) {
    if (!pages.bytes().empty()) {
      writer.emplace(pages.bytes(), settings.ring_pages, settings.when_full, of.thread_id());
    }
  }
  Pages pages;
  std::optional<RingWriter> writer;
  Writer* thread;  // null: it has ended
};

Result<std::unique_ptr<Session>> Session::open(Tracing& tracing, PagesPort& pages, const Settings& settings) {
  if (settings.ring_pages < 2 || settings.ring_pages > kRingPagesMax) {
    return fail(EINVAL, "a ring has 2 to " + std::to_string(kRingPagesMax) + " pages");
  }
  std::unique_ptr<Session> session(new Session(tracing, pages, settings));
  if (session->filter_pages_.bytes().empty()) return fail(ENOMEM, "no memory for a session's table");
  Result<unsigned> place = tracing.add_probe(*session);
  if (!place) return std::move(place).error();
  session->place_ = *place;
  session->records_ = true;
  tracing.watch(*session);
  return session;
}

Session::Session(Tracing& tracing, PagesPort& pages, const Settings& settings)
    : tracing_(tracing), pages_(pages), settings_(settings), filter_pages_(pages, kFilterTableBytes) {}

Session::~Session() { stop(); }

void Session::stop() {
  if (!std::exchange(records_, false)) return;
  tracing_.unwatch(*this);
  tracing_.remove_probe(place_);
  for (const auto& ring : rings_) {
    if (ring->thread != nullptr) remove_writer(*ring->thread);
  }
}

Result<std::size_t> Session::enable(std::string_view pattern, std::string_view filter) {
  Result<std::size_t> count = count_events(tracing_, pattern, filter);
  if (!count) return count;
  for (Group* group : tracing_.groups()) {
    for (UserEvent* event : group->events()) {
      if (is_meant(pattern, *event)) (void)enable_one(*event, filter);
    }
  }
  std::erase_if(rules_, [&](const Rule& rule) { return rule.pattern == pattern && rule.filter == filter; });
  rules_.push_back({std::string(pattern), std::string(filter)});
  return count;
}

Status Session::enable_one(UserEvent& event, std::string_view filter) {
  Result<std::unique_ptr<Filter>> made = Filter::parse_or_none(filter, event.format);
  if (!made) return std::move(made).error();
  std::unique_ptr<Filter> parsed = *std::move(made);
  auto* const table = reinterpret_cast<FilterTable*>(filter_pages_.bytes().data());
  table[event.type_id - kFirstTypeId].store(parsed.get(), std::memory_order_release);
  std::unique_ptr<Filter>& kept = filters_[event.type_id];
  if (kept) replaced_.push_back(std::move(kept));
  kept = std::move(parsed);
  describe(event);
  tracing_.enable(event, place_);
  return {};
}

void Session::describe(const UserEvent& event) {
  const auto known = events_.find(event.type_id);
  const bool is_same = known != events_.end() && known->second.name == event.name &&
                       known->second.system == event.system() && known->second.format.fields == event.format.fields;
  if (is_same) return;
  events_.insert_or_assign(event.type_id, RecordedEvent{event.system(), event.name, event.type_id, event.format});
  ++generation_;
}

void Session::event_created(UserEvent& event) {
  for (const Rule& rule : rules_) {
    if (is_meant(rule.pattern, event)) (void)enable_one(event, rule.filter);  // one that does not fit is none of it
  }
}

void Session::disable(std::string_view pattern) {
  std::erase_if(rules_, [&](const Rule& rule) { return rule.pattern == pattern; });
  for (Group* group : tracing_.groups()) {
    for (UserEvent* event : group->events()) {
      if (is_meant(pattern, *event)) tracing_.disable(*event, place_);
    }
  }
}

Status Session::add_writer(Writer& writer) {
  if (readers_.size() == kRingsMax) return fail(EMFILE, "65536 threads are the most that one recording can have");
  auto ring = std::make_unique<Ring>(settings_.rings == nullptr ? pages_ : *settings_.rings, settings_, writer);
  if (!ring->writer) return fail(ENOMEM, "no memory for a ring of " + std::to_string(settings_.ring_pages) + " pages");
  Result<RingReader> reader = RingReader::open(ring->pages.bytes());
  if (!reader) return std::move(reader).error();
  readers_.push_back(std::make_unique<RingReader>(*std::move(reader)));
  Writer::Lane& lane = writer.lanes[place_];
  lane.filters.store(reinterpret_cast<const FilterTable*>(filter_pages_.bytes().data()), std::memory_order_relaxed);
  lane.ring.store(&*ring->writer, std::memory_order_release);
  rings_.push_back(std::move(ring));
  return {};
}

void Session::remove_writer(Writer& writer) {
  for (const auto& ring : rings_) {
    if (ring->thread != &writer) continue;
    writer.lanes[place_].ring.store(nullptr, std::memory_order_release);
    ring->thread = nullptr;
  }
}

std::uint64_t Session::take_lost() {
  std::uint64_t lost = lost_without_ring();
  for (const auto& reader : readers_) lost += reader->lost();
  lost = std::max(lost, lost_taken_);
  return lost - std::exchange(lost_taken_, lost);
}

std::vector<RecordedEvent> Session::events() const {
  std::vector<RecordedEvent> events;
  for (const auto& [type, event] : events_) events.push_back(event);
  return events;
}

int Session::record(Writer& writer, const UserEvent& event, const Payload& payload) {
  const Writer::Lane& lane = writer.lanes[place_];
  RingWriter* const ring = lane.ring.load(std::memory_order_acquire);
  if (ring == nullptr) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  const auto put = [&](MutBytes to) {
    const Bytes record(to.data() - kRecordHeaderBytes, to.size() + kRecordHeaderBytes);
    return payload.copy_to(to) && locations_valid(event.format, record);
  };
  return record_into(writer, lane, *ring, {event, payload.bytes(), writer.now_ns()}, put);
}

}  // namespace vif::trace
