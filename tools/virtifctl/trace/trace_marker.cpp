// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_marker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "hypercall/host_error.hpp"
#include "tools/virtifctl/trace/trace_print.hpp"

namespace vif::tools {

Result<TraceMarker> TraceMarker::open(const std::string& path) {
  host::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) return host::host_error(path);
  return TraceMarker(std::move(fd));
}

void TraceMarker::write(std::string_view name, const trace::EventFormat& format, Bytes record) {
  const std::string line = std::string(name) + ':' + values_text(format, record) + '\n';
  refused_ += ::write(fd_.get(), line.data(), line.size()) == -1;
}

Result<std::unique_ptr<MarkProbe>> MarkProbe::open(trace::Tracing& tracing, TraceMarker& marker,
                                                   const std::string& filter) {
  std::unique_ptr<MarkProbe> marks(new MarkProbe(tracing, marker));
  const Result<unsigned> place = tracing.add_probe(*marks);
  if (!place) return place.error();
  marks->place_ = *place;
  for (trace::Group* group : tracing.groups()) {
    for (trace::UserEvent* event : group->events()) {
      if (!event->enabled()) continue;
      Result<std::unique_ptr<trace::Filter>> parsed = trace::Filter::parse_or_none(filter, event->format);
      if (!parsed) continue;
      if (*parsed) marks->filters_.emplace(event, std::move(**parsed));
      tracing.enable(*event, marks->place_);
    }
  }
  return marks;
}

MarkProbe::~MarkProbe() {
  if (place_ != trace::kProbesMax) tracing_.remove_probe(place_);
}

int MarkProbe::record(trace::Writer&, const trace::UserEvent& event, const trace::Payload& payload) {
  std::vector<std::byte> record(trace::kRecordHeaderBytes + payload.bytes());
  if (!payload.copy_to(std::span(record).subspan(trace::kRecordHeaderBytes))) return EFAULT;
  if (!trace::locations_valid(event.format, record)) return EFAULT;
  const auto filter = filters_.find(&event);
  if (filter == filters_.end() || filter->second.matches(record)) marker_.write(event.name, event.format, record);
  return 0;
}

}  // namespace vif::tools
