// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<std::unique_ptr<Loop>> Loop::create(ClockPort& clock, RandomPort& random, const net::Domain::Config& config) {
  // Readable at first: whoever waits before the first poll must not miss what came earlier.
  UniqueFd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return host_error("cannot make an eventfd for the loop");
  return std::unique_ptr<Loop>(new Loop(clock, random, config, std::move(event)));
}

bool Loop::poll(std::size_t budget) {
  if (domain_.busy()) return false;
  eventfd_t wakes = 0;
  ::eventfd_read(event_.get(), &wakes);  // EAGAIN: a deadline brought us here
  domain_.poll(clock_.now(), budget);
  if (domain_.may_sleep()) return false;
  wake();
  return true;
}

// Fails only when the counter is at its end, and then fd() is readable all the same.
void Loop::wake() { ::eventfd_write(event_.get(), 1); }

}  // namespace vif::host
