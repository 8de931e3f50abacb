// SPDX-License-Identifier: BSD-2-Clause
// The tracing of a virtifd: groups of events, those of the node's domain and of virtifd itself among them, and the
// flight recorder, a session that goes on without a client until somebody wants to know what happened.
//
// Made and destroyed on the domain's thread while no other thread of virtifd's is there; between that the control
// thread's. The events are written by whoever they are of.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hypercall/linux_ports.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/own_events.hpp"
#include "hypercall/trace/ring_files.hpp"
#include "netstack/domain.hpp"
#include "services/connector/proc_trace.hpp"
#include "services/trace/session.hpp"
#include "services/trace/trace_dat_head.hpp"
#include "tools/virtifd/daemon_trace.hpp"

namespace vif::tools {

class TraceService {
 public:
  static constexpr std::size_t kBufferKibMax = 65536;  // of each thread that writes, for each session

  struct Wish {
    std::string events;  // patterns of Session::enable, parted by spaces
    std::string filter;
    std::optional<std::size_t> buffer_kib;     // 4096
    std::optional<trace::WhenFull> when_full;  // discard; of the flight recorder overwrite
  };

  // The domain outlives it. `folder`: where the flight recorder's rings lie, for `virtifctl trace salvage`; empty: in
  // memory. Errors: those of Tracing::open, OwnEvents::attach and RingFiles::open.
  static Result<std::unique_ptr<TraceService>> open(net::Domain& domain, const std::string& folder);
  ~TraceService();

  trace::Tracing& tracing() { return *tracing_; }
  // Groups are whoever's who makes them. Errors: those of Tracing::create_group and remove_group, and change()'s.
  Result<trace::Group*> create_group(const std::string& name, uid_t user);
  Status remove_group(const std::string& name, uid_t user);
  // Empty is the root. ENOENT: there is none.
  Result<trace::Group*> find(const std::string& name);
  // For a user who would change it: root and virtifd's own may any, others those they made. Errors: find()'s; EACCES.
  Result<trace::Group*> change(const std::string& name, uid_t user);
  uid_t owner_of(const trace::Group& group) const;
  DaemonTrace& own() { return own_; }
  const cn::ProcTrace& of_processes() const { return of_processes_; }  // for the one thread that tells of processes

  // Records until stop(), after which it may be destroyed. Errors: those of Session::open and enable; EINVAL: a pattern
  // of no event, or a buffer that cannot be.
  Result<std::unique_ptr<trace::Session>> record(const Wish& wish);
  // Stops it; returns when nobody writes to it any more, so that it may be destroyed.
  void stop(trace::Session& session);
  // What is in a recording beside its pages, as the head of a trace.dat.
  std::string head(const trace::Session& session) const;

  trace::Session* flight() { return flight_.get(); }  // null: it is off
  // Begins it, or enables more: all that is wished, or nothing. Errors: record()'s; EBUSY: it has another buffer, or
  // loses others when that is full.
  Status enable(const Wish& wish);
  // Of the events of these patterns. ENOENT: a pattern of no event; the others are disabled. EINVAL: there is none.
  Status disable(const std::string& events);
  // Of all, and what it holds is gone.
  Status disable_all();
  // There may be an event more that it records.
  Status describe_flight();

 private:
  TraceService();
  std::array<trace::Writer*, 3> writers() { return {&domain_writer_, &control_writer_, &process_writer_}; }
  Result<std::unique_ptr<trace::Session>> record(const Wish& wish, trace::PagesPort& rings);
  Status choose(trace::Session& session, const Wish& wish);

  host::LinuxClock clock_;
  host::MappedPages pages_;
  trace::Writer domain_writer_, control_writer_, process_writer_;
  std::unique_ptr<trace::Tracing> tracing_;
  DaemonTrace own_;
  cn::ProcTrace of_processes_;
  std::unordered_map<std::string, uid_t> makers_;  // of groups that clients made
  std::vector<std::unique_ptr<host::OwnEvents>> events_;
  std::unique_ptr<host::RingFiles> files_;  // null: it has none
  std::unique_ptr<trace::Session> flight_;
};

Error no_event_of(int error, const std::string& patterns);

// The words of a text, parted by spaces.
std::vector<std::string> words_of(const std::string& text);

}  // namespace vif::tools
