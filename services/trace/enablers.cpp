// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/enablers.hpp"

#include <cerrno>
#include <utility>
#include <vector>

#include "services/trace/group.hpp"

namespace vif::trace {

Status Enablers::add(const EnableBit& where, std::uint8_t bytes, UserEvent& event) {
  // Also when the event is disabled: the address has to be good, and the bit to say what is.
  if (!where.memory->set_bit(where.address, bytes, where.bit, event.enabled())) {
    return fail(EFAULT, "the enable address has to be writable");
  }
  bits_.emplace(where, Enabler{bytes, &event});
  by_event_.emplace(&event, where);
  event.uses.add();
  return {};
}

Status Enablers::remove(const EnableBit& where) {
  const auto at = bits_.find(where);
  if (at == bits_.end()) return fail(ENOENT, "nothing is registered for that bit of that address");
  const Enabler enabler = take(at);
  if (where.memory->set_bit(where.address, enabler.bytes, where.bit, false)) return {};
  return fail(EFAULT, "the disable address has to be writable");
}

// Its event may be gone after this.
Enablers::Enabler Enablers::take(Bits::iterator at) {
  const Enabler enabler = at->second;
  auto by_event = by_event_.lower_bound(enabler.event);
  while (by_event->second != at->first) ++by_event;
  by_event_.erase(by_event);
  bits_.erase(at);
  enabler.event->group.release(*enabler.event);
  return enabler;
}

void Enablers::fork(const CallerMemory& parent, CallerMemory& child) {
  std::vector<std::pair<EnableBit, Enabler>> copies;
  for (const auto& [where, enabler] : bits_) {
    if (where.memory == &parent) copies.emplace_back(EnableBit{&child, where.address, where.bit}, enabler);
  }
  for (const auto& [where, enabler] : copies) {
    if (!bits_.emplace(where, enabler).second) continue;
    by_event_.emplace(enabler.event, where);
    enabler.event->uses.add();
  }
}

void Enablers::forget(const CallerMemory& memory) {
  std::vector<EnableBit> gone;
  for (const auto& [where, enabler] : bits_) {
    if (where.memory == &memory) gone.push_back(where);
  }
  for (const EnableBit& where : gone) take(bits_.find(where));
}

void Enablers::follow(const UserEvent& event) {
  const auto [first, last] = by_event_.equal_range(&event);
  for (auto at = first; at != last; ++at) {
    const EnableBit& where = at->second;
    (void)where.memory->set_bit(where.address, bits_.at(where).bytes, where.bit, event.enabled());
  }
}

}  // namespace vif::trace
