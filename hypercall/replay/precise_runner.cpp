// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/precise_runner.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kBudgetFrames = 256;

timespec as_timespec(Time time) {
  constexpr std::int64_t kNsPerS = 1'000'000'000;
  return {time.count() / kNsPerS, time.count() % kNsPerS};
}

}  // namespace

struct PreciseRunner::Signals {
  sigset_t before{};
  UniqueFd fd;
};

PreciseRunner::PreciseRunner(Loop& loop, ClockPort& clock, std::function<void()> on_interrupt)
    : loop_(loop), clock_(clock), on_interrupt_(std::move(on_interrupt)), signals_(std::make_unique<Signals>()) {}

Result<std::unique_ptr<PreciseRunner>> PreciseRunner::create(Loop& loop, ClockPort& clock,
                                                             std::function<void()> on_interrupt) {
  std::unique_ptr<PreciseRunner> runner(new PreciseRunner(loop, clock, std::move(on_interrupt)));
  sigset_t watched;
  ::sigemptyset(&watched);
  ::sigaddset(&watched, SIGINT);
  ::sigaddset(&watched, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &watched, &runner->signals_->before);
  runner->signals_->fd = UniqueFd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!runner->signals_->fd) return host_error("cannot wait for signals");
  return runner;
}

PreciseRunner::~PreciseRunner() { ::pthread_sigmask(SIG_SETMASK, &signals_->before, nullptr); }

Status PreciseRunner::run(const std::function<bool()>& done, const std::function<void()>& every, Time apart) {
  for (Time next_every = clock_.now() + apart; !done();) {
    const bool more = loop_.poll(kBudgetFrames);
    const Time now = clock_.now();
    if (now >= next_every) {
      every();
      next_every = now + apart;
      if (Status looked = wait(Time(0)); !looked) return looked;  // for signals, however busy it is
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
  return {};
}

Status PreciseRunner::wait(Time most) {
  pollfd waited[] = {{loop_.fd(), POLLIN, 0}, {signals_->fd.get(), POLLIN, 0}};
  const timespec timeout = as_timespec(most);
  if (::ppoll(waited, std::size(waited), &timeout, nullptr) < 0 && errno != EINTR)
    return host_error("waiting for work");
  signalfd_siginfo got;
  if ((waited[1].revents & POLLIN) != 0 && ::read(signals_->fd.get(), &got, sizeof got) > 0) on_interrupt_();
  return {};
}

}  // namespace vif::host
