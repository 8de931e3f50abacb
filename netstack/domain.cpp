// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/domain.hpp"

#include <algorithm>

#include "netstack/ifnet.hpp"

namespace vif::net {
namespace {

// True while it lives, whatever ends that: after an exception the domain can be polled again.
class Held {
 public:
  explicit Held(bool& flag) : flag_(flag) { flag_ = true; }
  ~Held() { flag_ = false; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  bool& flag_;
};

}  // namespace

Domain::Domain(const Config& config, RandomPort& random, WakePort& wake)
    : random_(random),
      wake_(wake),
      pool_(config.pool),
      inbox_(config.inbox_commands),
      ready_(config.interfaces_max),
      pollables_(config.interfaces_max) {}

Domain::~Domain() { assert(interfaces_.empty() && "destroy the interfaces before their domain"); }

bool Domain::post(Command command) {
  if (!inbox_.push(std::move(command))) return false;
  wake_if_asleep();
  return true;
}

void Domain::ready(std::size_t slot) {
  ready_.mark(slot);
  wake_if_asleep();
}

// The other half of may_sleep(). Work is published by a sequentially consistent store before this load, and may_sleep()
// stores before it looks for work: one of the two sees the other.
void Domain::wake_if_asleep() {
  if (asleep_.load() && asleep_.exchange(false)) wake_.wake();
}

bool Domain::may_sleep() {
  asleep_.store(true);
  if (deferred_.empty() && inbox_.empty() && !ready_.any()) return true;
  asleep_.store(false);
  return false;
}

bool Domain::poll(Time now, std::size_t budget) {
  if (busy()) return false;
  const Held polling(polling_);
  asleep_.store(false);
  now_ = std::max(now_, now);
  for (const Command& work : std::exchange(deferred_, {})) work();
  run_commands();
  callouts_.advance(now_);
  ready_.take([&](std::size_t slot) {
    if (Pollable* const pollable = pollables_[slot]; pollable != nullptr && pollable->poll(budget)) ready_.mark(slot);
  });
  return !deferred_.empty() || !inbox_.empty() || ready_.any();
}

// So many and no more: a command that posts commands must not keep us here.
void Domain::run_commands() {
  Command command;
  for (int left = 1024; left > 0 && inbox_.pop(command); --left) command();
}

void Domain::defer(Command work) { deferred_.push_back(std::move(work)); }

std::optional<std::size_t> Domain::enter(Pollable& pollable) {
  const auto free = std::find(pollables_.begin(), pollables_.end(), nullptr);
  if (free == pollables_.end()) return std::nullopt;
  *free = &pollable;
  return static_cast<std::size_t>(free - pollables_.begin());
}

void Domain::leave(std::size_t slot) { pollables_[slot] = nullptr; }

void Domain::publish(Ifnet& ifp) {
  ifp.index_ = ++last_ifindex_;
  interfaces_.push_back(&ifp);
  announce(&IfEventListener::if_arrived, ifp);
}

void Domain::withdraw(Ifnet& ifp) {
  announce(&IfEventListener::if_departed, ifp);
  std::erase(interfaces_, &ifp);
}

void Domain::announce_link_change(Ifnet& ifp) { announce(&IfEventListener::if_link_changed, ifp); }

// One that leaves meanwhile may be gone: it is not called any more. One that joins hears of the next event.
void Domain::announce(void (IfEventListener::*event)(Ifnet&), Ifnet& ifp) {
  const UpcallScope scope(*this);
  for (IfEventListener* const listener : std::vector(listeners_)) {
    if (std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end()) (listener->*event)(ifp);
  }
}

}  // namespace vif::net
