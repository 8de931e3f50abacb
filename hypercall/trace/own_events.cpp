// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/own_events.hpp"

#include <cerrno>

namespace vif::host {

Result<std::unique_ptr<OwnEvents>> OwnEvents::attach(trace::Tracing& tracing, const std::string& name,
                                                     std::span<AnyTracepoint* const> points, trace::Writer& writer) {
  trace::Group* group = tracing.find_group(name);
  if (group == nullptr) {
    Result<trace::Group*> made = tracing.create_group(name);
    if (!made) return std::move(made).error();
    group = *made;
  }
  Result<std::unique_ptr<trace::DataFile>> file = tracing.open_data(group->id());
  if (!file) return std::move(file).error();
  std::unique_ptr<OwnEvents> events(new OwnEvents(*std::move(file), writer));
  for (AnyTracepoint* const point : points) {
    if (point->sink() != nullptr) return fail(EBUSY, "somebody else records this domain");
    Result<trace::DataFile::Registration> done = events->file_->add(point->command());
    if (!done) return std::move(done).error();
    trace::UserEvent& event = done->event;
    std::atomic<std::uint32_t>& word = point->attach(*events, done->write_index);
    event.word_copies.push_back(&word);
    word.store(event.word.load(std::memory_order_relaxed), std::memory_order_release);
    events->attached_.push_back({point, &event, &word});
  }
  return events;
}

OwnEvents::~OwnEvents() {
  for (const Attached& attached : attached_) {
    std::erase(attached.event->word_copies, attached.word);
    attached.point->detach();
  }
}

// No error to tell anybody: an event is disabled again, or its record is lost and counted.
void OwnEvents::trace(const AnyTracepoint& point, Bytes payload) {
  (void)file_->write(writer_, static_cast<std::int32_t>(point.number()), trace::Slices(std::span(&payload, 1)));
}

}  // namespace vif::host
