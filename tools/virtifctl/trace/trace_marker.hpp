// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl trace record --marker`: what is recorded, as lines among the kernel's own events. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "services/trace/filter.hpp"
#include "services/trace/tracing.hpp"

namespace vif::tools {

// A trace_marker of the host's tracefs; any file that lines may be appended to will do.
class TraceMarker {
 public:
  // Errors: the host's.
  static Result<TraceMarker> open(const std::string& path);

  // "NAME: FIELD=VALUE ..."; of one too long the kernel takes the front. `record`: header and payload.
  void write(std::string_view name, const trace::EventFormat& format, Bytes record);
  // Lines that were not taken, as when the kernel's tracing is off.
  std::uint64_t refused() const { return refused_; }

 private:
  explicit TraceMarker(host::UniqueFd fd) : fd_(std::move(fd)) {}

  host::UniqueFd fd_;
  std::uint64_t refused_ = 0;
};

// Marks what this process writes at the moment it does.
class MarkProbe final : public trace::Probe {
 public:
  // The events that are recorded by now, and of their records those that `filter`, which fits some of them, keeps; it
  // is Session::enable's. Both are borrowed. EBUSY: kProbesMax probes are there.
  static Result<std::unique_ptr<MarkProbe>> open(trace::Tracing& tracing, TraceMarker& marker,
                                                 const std::string& filter);
  ~MarkProbe() override;

  trace::ProbeKind kind() const override { return trace::ProbeKind::ftrace; }
  int record(trace::Writer& writer, const trace::UserEvent& event, const trace::Payload& payload) override;

 private:
  MarkProbe(trace::Tracing& tracing, TraceMarker& marker) : tracing_(tracing), marker_(marker) {}

  trace::Tracing& tracing_;
  TraceMarker& marker_;
  unsigned place_ = trace::kProbesMax;
  std::map<const trace::UserEvent*, trace::Filter> filters_;
};

}  // namespace vif::tools
