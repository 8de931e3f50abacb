// SPDX-License-Identifier: BSD-2-Clause
// Tracepoints of our own code (netstack/base/tracepoint.hpp) as events of a Tracing: what a domain says of itself is
// recorded like what any program writes. Attaching, detaching and the tracepoints' calls are one thread's, the
// domain's; sessions may enable the events from the control side meanwhile.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/tracepoint.hpp"
#include "services/trace/tracing.hpp"

namespace vif::host {

class VIF_API OwnEvents final : private TraceSink {
 public:
  // Registers `points` in the group, which is made if need be; all of it is borrowed. Tracepoints of several domains
  // may be the same events. `writer`: of the domain's thread. Errors: those of Tracing::create_group and DataFile::add;
  // EBUSY: a tracepoint is attached to somebody else.
  static Result<std::unique_ptr<OwnEvents>> attach(trace::Tracing& tracing, const std::string& group,
                                                   std::span<AnyTracepoint* const> points, trace::Writer& writer);
  ~OwnEvents() override;
  OwnEvents(const OwnEvents&) = delete;
  OwnEvents& operator=(const OwnEvents&) = delete;

 private:
  struct Attached {
    AnyTracepoint* point;
    trace::UserEvent* event;
    std::atomic<std::uint32_t>* word;
  };

  OwnEvents(std::unique_ptr<trace::DataFile> file, trace::Writer& writer) : file_(std::move(file)), writer_(writer) {}

  void trace(const AnyTracepoint& point, Bytes payload) override;

  std::unique_ptr<trace::DataFile> file_;
  trace::Writer& writer_;
  std::vector<Attached> attached_;
};

}  // namespace vif::host
