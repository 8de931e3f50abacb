// SPDX-License-Identifier: BSD-2-Clause
// Runs a loop on the calling thread so that its callouts are on time to microseconds: it sleeps until shortly before
// the next one, then looks at the clock until it has come. Costs a processor for that moment only.
#pragma once

#include <functional>

#include "hypercall/loop.hpp"
#include "hypercall/signal_fd.hpp"

namespace vif::host {

class PreciseRunner {
 public:
  // What a processor needs to wake up.
  static constexpr Time kSpin = std::chrono::microseconds(100);

  // SIGINT and SIGTERM come to `on_interrupt`, which runs between polls, as long as the runner lives; they are blocked
  // for this thread meanwhile, and its timers have no slack (prctl(2)). Errors: the host's (EMFILE ...). The loop
  // outlives the runner, which ends on the thread that made it.
  static Result<std::unique_ptr<PreciseRunner>> create(Loop& loop, ClockPort& clock,
                                                       std::function<void()> on_interrupt);
  ~PreciseRunner();
  PreciseRunner(const PreciseRunner&) = delete;
  PreciseRunner& operator=(const PreciseRunner&) = delete;

  // Calls `on_readable` between polls when the descriptor is readable; one of them.
  void watch(int fd, std::function<void()> on_readable);

  // Polls until `done` says so; the calling thread is the domain's thread meanwhile. `every` is called now and then,
  // at most that long apart while there is anything to wait for. Errors: the host's while waiting.
  Status run(const std::function<bool()>& done, const std::function<void()>& every, Time apart);

 private:
  PreciseRunner(Loop& loop, ClockPort& clock, SignalFd signals, std::function<void()> on_interrupt);
  Status wait(Time most);

  Loop& loop_;
  ClockPort& clock_;
  SignalFd signals_;
  std::function<void()> on_interrupt_;
  int watched_fd_ = -1;
  std::function<void()> on_readable_;
  unsigned long slack_before_ns_ = 0;  // 0: the default
};

}  // namespace vif::host
