// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/sim_host.hpp"

#include <algorithm>

#include "netstack/base/splitmix.hpp"

namespace vif::host::sim {

std::uint64_t SimRandom::next() { return splitmix64(seed_, index_++); }

net::Domain& SimHost::add_domain(const net::Domain::Config& config) {
  domains_.push_back(std::make_unique<net::Domain>(config, random, no_wake_));
  return *domains_.back();
}

void SimHost::at(Time when, std::function<void()> event) {
  events_.push_back(std::make_unique<Callout>(events_queue_, std::move(event)));
  events_.back()->schedule(when);
}

void SimHost::settle() {
  for (bool more = true; more;) {
    events_queue_.advance(clock.now());
    more = false;
    for (const auto& domain : domains_) more |= domain->poll(clock.now(), kBudgetFrames);
    // One domain's poll may have given work to one polled before it.
    for (const auto& domain : domains_) more |= !domain->may_sleep();
    const std::optional<Time> next = next_deadline();
    more |= next && *next <= clock.now();
  }
}

void SimHost::run_until(Time end) {
  settle();
  for (std::optional<Time> next = next_deadline(); next && *next <= end; next = next_deadline()) {
    clock.set(std::max(clock.now(), *next));
    settle();
  }
  clock.set(std::max(clock.now(), end));
  settle();
}

std::optional<Time> SimHost::next_deadline() const {
  std::optional<Time> earliest = events_queue_.next_deadline();
  for (const auto& domain : domains_) {
    const std::optional<Time> deadline = domain->next_deadline();
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  return earliest;
}

}  // namespace vif::host::sim
