// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/trace_service.hpp"

#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "hypercall/trace/trace_stream.hpp"
#include "hypercall/trace/writers_at_rest.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kBufferKib = 4096;

// What a client, and `virtifctl trace salvage`, takes.
Status check_head(std::size_t bytes) {
  if (bytes <= host::kTraceItemBodyBytesMax) return {};
  return fail(EFBIG, "to describe these events takes " + std::to_string(bytes >> 20) +
                         " MiB, and 64 are the most: choose fewer, with -e");
}

Error no_pattern() { return fail(EINVAL, "which events? Expected patterns, as in virtif:*"); }

std::size_t pages_of(std::size_t buffer_kib) { return buffer_kib * 1024 / trace::kPageBytes; }

}  // namespace

Error no_event_of(int error, const std::string& patterns) {
  return fail(error, "no event is of '" + patterns + "'; `virtifctl trace event list` shows what there is");
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// All records say the process: which of its threads it was is the ring's business.
TraceService::TraceService()
    : domain_writer_(::getpid(), clock_), control_writer_(::getpid(), clock_), process_writer_(::getpid(), clock_) {}

TraceService::~TraceService() {
  if (flight_) stop(*flight_);
}

Result<std::unique_ptr<TraceService>> TraceService::open(net::Domain& domain, const std::string& folder) {
  std::unique_ptr<TraceService> service(new TraceService);
  auto tracing = trace::Tracing::open(service->pages_);
  if (!tracing) return std::move(tracing).error();
  service->tracing_ = *std::move(tracing);
  const auto attach = [&service](const char* group, std::span<AnyTracepoint* const> points,
                                 trace::Writer& writer) -> Status {
    auto events = host::OwnEvents::attach(*service->tracing_, group, points, writer);
    if (!events) return std::move(events).error();
    service->events_.push_back(*std::move(events));
    return {};
  };
  if (!folder.empty()) {
    auto files = host::RingFiles::open(folder);
    if (!files) return std::move(files).error();
    service->files_ = *std::move(files);
  }
  trace::Writer& domains = service->domain_writer_;
  if (Status attached = attach("virtif", domain.trace().all(), domains); !attached) return attached.error();
  if (Status attached = attach("virtifd", service->own_.all(), domains); !attached) return attached.error();
  if (Status attached = attach("cn", service->of_processes_.all(), service->process_writer_); !attached) {
    return attached.error();
  }
  return service;
}

uid_t TraceService::owner_of(const trace::Group& group) const {
  const auto at = makers_.find(group.name());
  return at == makers_.end() ? ::geteuid() : at->second;
}

Result<trace::Group*> TraceService::create_group(const std::string& name, uid_t user) {
  auto made = tracing_->create_group(name);
  if (made) makers_[name] = user;
  return made;
}

Status TraceService::remove_group(const std::string& name, uid_t user) {
  if (const auto group = change(name, user); !group) return group.error();
  Status removed = tracing_->remove_group(name);
  if (removed) makers_.erase(name);
  return removed;
}

Result<trace::Group*> TraceService::find(const std::string& name) {
  if (name.empty()) return &tracing_->root();
  if (trace::Group* const group = tracing_->find_group(name); group != nullptr) return group;
  return fail(ENOENT, "there is no group '" + name + "'; `virtifctl trace group list` shows what there is");
}

Result<trace::Group*> TraceService::change(const std::string& name, uid_t user) {
  auto group = find(name);
  if (!group) return group;
  const uid_t owner = owner_of(**group);
  if (user == 0 || user == ::geteuid() || user == owner) return group;
  return fail(EACCES, "the group '" + name + "' is user " + std::to_string(owner) +
                          "'s, who alone changes it; you are user " + std::to_string(user) +
                          ": make one of your own with `virtifctl trace group add`");
}

Result<std::unique_ptr<trace::Session>> TraceService::record(const Wish& wish) { return record(wish, pages_); }

Result<std::unique_ptr<trace::Session>> TraceService::record(const Wish& wish, trace::PagesPort& rings) {
  const std::size_t buffer_kib = wish.buffer_kib.value_or(kBufferKib);
  if (buffer_kib < 8 || buffer_kib > kBufferKibMax) {
    return fail(EINVAL, "a buffer has 8 to " + std::to_string(kBufferKibMax) + " KiB");
  }
  auto session = trace::Session::open(*tracing_, pages_,
                                      {.when_full = wish.when_full.value_or(trace::WhenFull::discard),
                                       .ring_pages = pages_of(buffer_kib),
                                       .rings = &rings});
  if (!session) return std::move(session).error();
  Status begun;
  for (trace::Writer* const writer : writers()) {
    if (begun) begun = (*session)->add_writer(*writer);
  }
  if (begun) begun = choose(**session, wish);
  if (begun) begun = check_head(head(**session).size());
  if (begun) return session;
  stop(**session);
  return std::move(begun).error();
}

Status TraceService::choose(trace::Session& session, const Wish& wish) {
  const std::vector<std::string> patterns = words_of(wish.events);
  if (patterns.empty()) return no_pattern();
  for (const std::string& pattern : patterns) {
    const Result<std::size_t> count = trace::count_events(*tracing_, pattern, wish.filter);
    if (!count) return count.error();
    if (*count == 0) return no_event_of(EINVAL, pattern);
  }
  for (const std::string& pattern : patterns) (void)session.enable(pattern, wish.filter);
  host::await_writers(writers());
  session.free_replaced_filters();
  return {};
}

void TraceService::stop(trace::Session& session) {
  session.stop();
  host::await_writers(writers());
}

std::string TraceService::head(const trace::Session& session) const {
  const std::vector<trace::RecordedEvent> events = session.events();
  const trace::ThreadName thread{domain_writer_.thread_id(), "virtifd"};
  return trace::trace_dat_head(events, std::span(&thread, 1), {});
}

Status TraceService::enable(const Wish& wish) {
  if (flight_) {
    const trace::Session::Settings& has = flight_->settings();
    if ((wish.buffer_kib && pages_of(*wish.buffer_kib) != has.ring_pages) ||
        (wish.when_full && *wish.when_full != has.when_full)) {
      const bool oldest = has.when_full == trace::WhenFull::overwrite;
      return fail(EBUSY, "it records already, into buffers of " +
                             std::to_string(has.ring_pages * trace::kPageBytes / 1024) + " KiB that lose the " +
                             (oldest ? "oldest" : "newest") +
                             " records when full; `virtifctl trace disable` ends that first");
    }
    Status chosen = choose(*flight_, wish);
    return chosen ? describe_flight() : chosen;
  }
  Wish first = wish;
  if (!first.when_full) first.when_full = trace::WhenFull::overwrite;  // the latest is what is wanted
  auto session = files_ ? record(first, *files_) : record(first);
  if (!session && files_ && session.error().number() == ENOMEM && !files_->room()) return files_->room().error();
  if (!session) return std::move(session).error();
  flight_ = *std::move(session);
  Status described = describe_flight();
  if (!described) (void)disable_all();
  return described;
}

Status TraceService::describe_flight() {
  if (!flight_ || !files_) return {};
  const std::string text = head(*flight_);
  const Status fits = check_head(text.size());
  return fits ? files_->describe(text) : fits;
}

Status TraceService::disable(const std::string& events) {
  const std::vector<std::string> patterns = words_of(events);
  if (patterns.empty()) return no_pattern();
  Status done;
  for (const std::string& pattern : patterns) {
    if (flight_) flight_->disable(pattern);
    if (done && *trace::count_events(*tracing_, pattern) == 0) done = no_event_of(ENOENT, pattern);
  }
  return done;
}

Status TraceService::disable_all() {
  if (!flight_) return {};
  stop(*flight_);
  flight_.reset();
  return {};
}

}  // namespace vif::tools
