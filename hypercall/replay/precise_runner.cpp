// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/precise_runner.hpp"

#include <sys/prctl.h>

namespace vif::host {
namespace {

constexpr std::size_t kBudgetFrames = 256;
constexpr Time kLookEvery = std::chrono::milliseconds(1);  // at descriptors, however busy the loop is

}  // namespace

PreciseRunner::PreciseRunner(Loop& loop, ClockPort& clock, SignalFd signals, std::function<void()> on_interrupt)
    : loop_(loop), clock_(clock), signals_(std::move(signals)), on_interrupt_(std::move(on_interrupt)) {
  const int slack_ns = ::prctl(PR_GET_TIMERSLACK);
  if (slack_ns > 0) slack_before_ns_ = static_cast<unsigned long>(slack_ns);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

PreciseRunner::~PreciseRunner() { ::prctl(PR_SET_TIMERSLACK, slack_before_ns_); }

Result<std::unique_ptr<PreciseRunner>> PreciseRunner::create(Loop& loop, ClockPort& clock,
                                                             std::function<void()> on_interrupt) {
  Result<SignalFd> signals = SignalFd::open({SIGINT, SIGTERM});
  if (!signals) return std::move(signals).error();
  return std::unique_ptr<PreciseRunner>(new PreciseRunner(loop, clock, std::move(*signals), std::move(on_interrupt)));
}

void PreciseRunner::watch(int fd, std::function<void()> on_readable) {
  watched_fd_ = fd;
  on_readable_ = std::move(on_readable);
}

Status PreciseRunner::run(const std::function<bool()>& done, const std::function<void()>& every, Time apart) {
  for (Time next_every = clock_.now() + apart, next_look{}; !done();) {
    const bool more = loop_.poll(kBudgetFrames);
    const Time now = clock_.now();
    if (now >= next_every) {
      every();
      next_every = now + apart;
    }
    if (now >= next_look) {
      if (Status looked = wait(Time(0)); !looked) return looked;
      next_look = now + kLookEvery;
    }
    const std::optional<Time> deadline = loop_.next_deadline();
    if (more || (deadline && *deadline <= now)) continue;
    const Time until = deadline ? std::min(*deadline, next_every) : next_every;
    if (until - now <= kSpin) {
      loop_.spin(until - now);
    } else if (Status waited = wait(until - now - kSpin); !waited) {
      return waited;
    }
  }
  return wait(Time(0));  // what ended it may be what a signal interrupted
}

Status PreciseRunner::wait(Time most) {
  const Result<Readable> ready = wait_readable({loop_.fd(), signals_.fd(), watched_fd_}, most);
  if (!ready) return ready.error();
  if ((*ready)[1] && signals_.take()) on_interrupt_();
  if ((*ready)[2]) on_readable_();
  return {};
}

}  // namespace vif::host
