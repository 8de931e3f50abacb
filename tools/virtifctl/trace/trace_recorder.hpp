// SPDX-License-Identifier: BSD-2-Clause
// Records what the domains of this process say of themselves (netstack/if_trace.hpp): one session, one ring, as all of
// virtifctl's domains are on its one thread. And what updates of firmware say of themselves
// (services/fwu/fwu_trace.hpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hypercall/linux_ports.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/own_events.hpp"
#include "hypercall/trace/trace_dat.hpp"
#include "netstack/domain.hpp"
#include "services/fwu/fwu_trace.hpp"
#include "tools/virtifctl/trace/trace_marker.hpp"

namespace vif::tools {

class TraceRecorder {
 public:
  struct Settings {
    std::vector<std::string> patterns;  // of events, as Session::enable takes them
    std::string filter;                 // of their records; empty: all
    std::size_t buffer_kib;
    trace::WhenFull when_full;
    TraceMarker* marker = nullptr;  // borrowed: gets all of it as well
  };
  // Errors: EINVAL and others for a pattern no event is of, a filter that is wrong, or a buffer that cannot be.
  static Result<std::unique_ptr<TraceRecorder>> open(const Settings& settings);
  ~TraceRecorder();

  // Records the domain as long as the result lives, which is shorter than both.
  Result<std::unique_ptr<host::OwnEvents>> attach(net::Domain& domain);

  // The same of an update.
  Result<std::unique_ptr<host::OwnEvents>> attach(fwu::FwuTrace& update);

  // Ends the recording.
  Result<host::ExportedTrace> write(const std::string& path);

 private:
  TraceRecorder();

  host::LinuxClock clock_;
  host::MappedPages pages_;
  trace::Writer writer_;
  std::unique_ptr<trace::Tracing> tracing_;
  net::IfTrace known_;  // so that events can be asked for before there is a domain
  fwu::FwuTrace known_of_updates_;
  std::unique_ptr<host::OwnEvents> keep_, keep_of_updates_;  // of those
  std::unique_ptr<trace::Session> session_;
  std::unique_ptr<MarkProbe> marks_;
};

// As TraceRecorder::attach; nothing when nobody records.
Result<std::unique_ptr<host::OwnEvents>> record_domain(TraceRecorder* recorder, net::Domain& domain);

}  // namespace vif::tools
