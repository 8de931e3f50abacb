// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/waiting.hpp"

#include <algorithm>

namespace vif::host::packetdrill {

Waiting::Lock Waiting::enter() {
  Lock lock(mutex_);
  is_back();
  return lock;
}

void Waiting::is_back() {
  if (std::erase(returning_, std::this_thread::get_id()) > 0) changed_.notify_all();
}

bool Waiting::is_over(const Waiter& waiter) const {
  return waiter.ready() || (waiter.deadline && *waiter.deadline <= machine_.now());
}

bool Waiting::until(Lock& lock, std::optional<Time> deadline, const Ready& ready) {
  if (std::this_thread::get_id() == owner_) {
    return pass(lock, deadline.value_or(machine_.now() + kPatience), ready);
  }
  Waiter waiter{ready, deadline};
  if (is_over(waiter)) return ready();
  is_back();  // what it was woken for was not enough
  waiters_.push_back(&waiter);
  changed_.wait(lock, [&] { return waiter.done; });
  waiters_.remove(&waiter);
  return ready();
}

bool Waiting::pass(Lock& lock, Time end, const Ready& ready) {
  while (!ready() && machine_.now() < end) {
    Time next = end;
    for (const Waiter* waiter : waiters_) {
      if (!waiter->done) next = std::min(next, waiter->deadline.value_or(end));
    }
    machine_.step(std::max(next, machine_.now()));
    tell(lock);
  }
  return ready();
}

void Waiting::tell(Lock& lock) {
  for (Waiter* waiter : waiters_) {
    if (waiter->done || !is_over(*waiter)) continue;
    waiter->done = true;
    returning_.push_back(waiter->thread);
  }
  const auto all_back = [&] {
    return std::all_of(returning_.begin(), returning_.end(),
                       [](std::thread::id thread) { return thread == std::this_thread::get_id(); });
  };
  if (all_back()) return;
  changed_.notify_all();
  if (!changed_.wait_for(lock, kReturn, all_back)) returning_.clear();
}

}  // namespace vif::host::packetdrill
