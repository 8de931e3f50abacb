// SPDX-License-Identifier: BSD-2-Clause
// A Tracing for programs whose threads come and go as they like: a lock around its control side, and a Writer for every
// thread, from its first write to its end. Any thread.
#pragma once

#include <pthread.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hypercall/trace/cycle_clock.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/trace_dat.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/session.hpp"
#include "services/trace/tracing.hpp"

namespace vif::host {

class VIF_API ThreadedTracing {
 public:
  // Takes 10 ms, for its clock. ENOMEM; EAGAIN: PTHREAD_KEYS_MAX keys are in use.
  static Result<std::unique_ptr<ThreadedTracing>> open();
  // Its recordings and files are gone, and no thread that wrote is amidst its end.
  ~ThreadedTracing();
  ThreadedTracing(const ThreadedTracing&) = delete;
  ThreadedTracing& operator=(const ThreadedTracing&) = delete;

  // Held as long as the Tracing is used: by one thread at a time.
  std::unique_lock<std::mutex> lock() { return std::unique_lock(control_); }
  trace::Tracing& tracing() { return *tracing_; }

  // Of the calling thread; the first time it waits for the lock.
  trace::Writer& writer();

  struct Recording {
    std::unique_ptr<trace::Session> session;
    std::vector<trace::ThreadName> threads;  // that have a ring in it
  };
  // The three below take the lock themselves. Events that match `pattern`, and records that match `filter`: as
  // Session::enable. Errors: those of Session::open, enable and add_writer.
  Result<std::unique_ptr<Recording>> record(const trace::Session::Settings& settings, const std::string& pattern,
                                            const std::string& filter);
  // Behind it no thread writes to the recording any more.
  void stop(Recording& recording);
  // Stops it as well.
  void destroy(std::unique_ptr<Recording> recording);

 private:
  struct ThreadWriter;

  ThreadedTracing() = default;

  static void thread_ends(void* writer) noexcept;
  trace::Writer& make_writer();
  static Status add(Recording& recording, ThreadWriter& writer);
  void stop_locked(Recording& recording);

  MappedPages pages_;
  CycleClock clock_;
  pthread_key_t key_{};
  bool has_key_ = false;
  std::mutex control_;
  std::unique_ptr<trace::Tracing> tracing_;
  std::list<ThreadWriter> writers_;
  std::vector<Recording*> recordings_;  // that are not stopped
};

}  // namespace vif::host
