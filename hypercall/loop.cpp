// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<std::unique_ptr<Loop>> Loop::create(ClockPort& clock, RandomPort& random, const net::Domain::Config& config) {
  // Readable at first: whoever waits before the first poll must not miss what came earlier.
  UniqueFd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return host_error("cannot make an eventfd for the loop");
  Result<FdWatch> watch = FdWatch::create();
  if (!watch) return std::move(watch).error();
  if (Status watched = watch->add_wake_up(event.get()); !watched) return std::move(watched).error();
  std::unique_ptr<Loop> loop(new Loop(clock, random, config, std::move(event), std::move(*watch)));
  (void)loop->domain_.poll(clock.now(), 0);  // timers that are set before the first poll() count from now, not from 0
  return loop;
}

bool Loop::poll(std::size_t budget) {
  if (domain_.busy()) return false;
  const FdWatch::Collected collected = watch_.collect();
  woken_ |= collected.woken;
  {
    const std::lock_guard lock(domain_mutex_);
    domain_.poll(clock_.now(), budget);
  }
  if (!collected.more && domain_.may_sleep()) {
    if (!woken_) return false;
    eventfd_t wakes = 0;
    ::eventfd_read(event_.get(), &wakes);
    woken_ = false;
    if (domain_.may_sleep()) return false;  // else that was the wake-up of somebody who brought work just now
  }
  if (!std::exchange(woken_, true)) wake();
  return true;
}

bool Loop::try_look(const std::function<void()>& look) {
  const std::unique_lock lock(domain_mutex_, std::try_to_lock);
  if (lock) look();
  return lock.owns_lock();
}

void Loop::unlooked(const std::function<void()>& change) {
  const std::lock_guard lock(domain_mutex_);
  change();
}

bool Loop::spin(Time patience) {
  const std::optional<Time> deadline = next_deadline();
  pollfd waited{fd(), POLLIN, 0};
  const Time begun = clock_.now();
  for (Time now = begun; now - begun < patience; now = clock_.now()) {
    if (::poll(&waited, 1, 0) > 0 || (deadline && now >= *deadline)) return true;
  }
  return false;
}

// Fails only when the counter is at its end, and then fd() is readable all the same.
void Loop::wake() { ::eventfd_write(event_.get(), 1); }

}  // namespace vif::host
