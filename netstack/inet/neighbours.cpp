// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/neighbours.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

bool before(const Neighbour& entry, const IpAddress& address) { return entry.address < address; }

bool is_incomplete(const Neighbour& entry) { return entry.state == NeighbourState::incomplete; }

}  // namespace

Neighbours::Neighbours(Stack& stack, Interface& interface)
    : stack_(stack), interface_(interface), due_(stack.domain.callouts(), [this] { run_due(); }) {}

Neighbour* Neighbours::find(const IpAddress& address) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), address, before);
  return at != entries_.end() && at->address == address ? &*at : nullptr;
}

// Null: no room.
Neighbour* Neighbours::insert(const IpAddress& address, NeighbourState state) {
  if (!make_room(state)) return nullptr;
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), address, before);
  return &*entries_.insert(at, {.address = address, .state = state, .used = stack_.domain.now()});
}

// The one used longest ago goes: among the incomplete when they are too many, else among those that are known.
bool Neighbours::make_room(NeighbourState state) {
  const auto incomplete = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_incomplete));
  const bool too_many_incomplete = state == NeighbourState::incomplete && incomplete >= kIncompleteMax;
  if (entries_.size() < kEntriesMax && !too_many_incomplete) return true;
  const bool from_incomplete = too_many_incomplete || incomplete == entries_.size();
  const Neighbour* oldest = nullptr;
  for (const Neighbour& entry : entries_) {
    if (entry.state == NeighbourState::permanent || is_incomplete(entry) != from_incomplete) continue;
    if (oldest == nullptr || entry.used < oldest->used) oldest = &entry;
  }
  if (oldest == nullptr) return false;
  const IpAddress gone = oldest->address;
  std::erase_if(entries_, [&](const Neighbour& entry) { return entry.address == gone; });
  const std::size_t lost = std::erase_if(held_, [&](const Held& held) { return held.next_hop == gone; });
  stack_.counters.drop(InetDrop::out_hold_limit, lost);
  return true;
}

Status Neighbours::output(MbufPtr packet, const IpAddress& next_hop) {
  const Time now = stack_.domain.now();
  Neighbour* entry = find(next_hop);
  if (entry == nullptr) {
    entry = insert(next_hop, NeighbourState::incomplete);
    if (entry == nullptr) {
      stack_.counters.drop(InetDrop::out_hold_limit);
      return fail(std::errc::no_buffer_space,
                  interface_.ifp.name() + ": the neighbour cache is full of permanent ones");
    }
    hold(std::move(packet), next_hop);
    step(next_hop);
    return {};
  }
  entry->used = now;
  if (is_incomplete(*entry)) {
    hold(std::move(packet), next_hop);
    return {};
  }
  if (entry->state == NeighbourState::reachable && now >= entry->reachable_until) entry->state = NeighbourState::stale;
  const MacAddress mac = entry->mac;
  if (entry->state == NeighbourState::stale) {
    entry->state = NeighbourState::delay;
    entry->due = now + kDelayFirstProbe;
    arm();
  }
  return send(std::move(packet), mac);
}

// The oldest gives way (RFC 4861, 7.2.2).
void Neighbours::hold(MbufPtr packet, const IpAddress& next_hop) {
  const auto for_it = [&](const Held& held) { return held.next_hop == next_hop; };
  const auto same = static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), for_it));
  if (same >= kHeldPerNeighbourMax) {
    held_.erase(std::find_if(held_.begin(), held_.end(), for_it));
    stack_.counters.drop(InetDrop::out_hold_limit);
  } else if (held_.size() >= kHeldMax) {
    held_.erase(held_.begin());
    stack_.counters.drop(InetDrop::out_hold_limit);
  }
  held_.push_back({next_hop, std::move(packet)});
}

// Sends what was held, oldest first. Sending may bring new packets here: they come behind.
void Neighbours::release(const IpAddress& next_hop, const MacAddress& mac) {
  std::vector<MbufPtr> packets;
  for (Held& held : held_) {
    if (held.next_hop == next_hop) packets.push_back(std::move(held.packet));
  }
  std::erase_if(held_, [](const Held& held) { return !held.packet; });
  for (MbufPtr& packet : packets) (void)send(std::move(packet), mac);
}

void Neighbours::give_up(const IpAddress& address) {
  forget(address);
  std::vector<MbufPtr> packets;
  for (Held& held : held_) {
    if (held.next_hop == address) packets.push_back(std::move(held.packet));
  }
  std::erase_if(held_, [](const Held& held) { return !held.packet; });
  for (MbufPtr& packet : packets) {
    stack_.counters.drop(InetDrop::out_unresolved);
    stack_.unreachable(std::move(packet));
  }
}

Status Neighbours::send(MbufPtr packet, const MacAddress& mac) {
  const bool v6 = (std::to_integer<unsigned>(packet->data()[0]) >> 4) == 6;
  return stack_.emit(interface_, std::move(packet), mac, v6 ? kEtherTypeIp6 : kEtherTypeIp4);
}

void Neighbours::heard_from(const IpAddress& address, const MacAddress& mac, Unknown unknown) {
  Neighbour* entry = find(address);
  if (entry == nullptr) {
    if (unknown == Unknown::skip) return;
    entry = insert(address, NeighbourState::stale);
    if (entry != nullptr) entry->mac = mac;
    return;
  }
  if (entry->state == NeighbourState::permanent) return;
  const bool was_incomplete = is_incomplete(*entry);
  if (!was_incomplete && entry->mac == mac) return;
  entry->mac = mac;
  entry->state = NeighbourState::stale;
  entry->due = Time::max();
  if (!was_incomplete) return;
  // What is sent to a stale neighbour makes us check it.
  entry->state = NeighbourState::delay;
  entry->due = stack_.domain.now() + kDelayFirstProbe;
  arm();
  release(address, mac);
}

void Neighbours::advertised(const IpAddress& address, const Advertised& said) {
  Neighbour* const entry = find(address);
  if (entry == nullptr || entry->state == NeighbourState::permanent) return;
  const bool was_incomplete = is_incomplete(*entry);
  if (was_incomplete && !said.mac) return;
  const bool other_mac = !was_incomplete && said.mac && *said.mac != entry->mac;
  if (other_mac && !said.override_known) {
    if (entry->state == NeighbourState::reachable) entry->state = NeighbourState::stale;
    return;
  }
  if (said.mac) entry->mac = *said.mac;
  const bool no_router_any_more = entry->router && said.router == false;
  if (said.router) entry->router = *said.router;
  if (said.solicited) {
    become_reachable(*entry);
  } else if (was_incomplete || other_mac) {
    entry->state = NeighbourState::stale;
    entry->due = Time::max();
  }
  const MacAddress mac = entry->mac;
  if (was_incomplete) release(address, mac);
  if (no_router_any_more) stack_.routes.forget_router(interface_, address);
}

// The reachable time is spread, so that hosts do not probe in step (RFC 4861, 6.3.2).
void Neighbours::become_reachable(Neighbour& entry) {
  entry.state = NeighbourState::reachable;
  entry.due = Time::max();
  entry.asked = 0;
  entry.reachable_until = stack_.domain.now() + reachable_ / 2 + stack_.random_below(reachable_);
}

Status Neighbours::add_permanent(const IpAddress& address, const MacAddress& mac) {
  Neighbour* entry = find(address);
  if (entry == nullptr) entry = insert(address, NeighbourState::permanent);
  if (entry == nullptr) {
    return fail(std::errc::no_buffer_space,
                "all " + std::to_string(kEntriesMax) + " neighbour entries are permanent ones: remove some first");
  }
  entry->mac = mac;
  entry->state = NeighbourState::permanent;
  entry->due = Time::max();
  release(address, mac);
  return {};
}

bool Neighbours::remove(const IpAddress& address) {
  const std::size_t lost = std::erase_if(held_, [&](const Held& held) { return held.next_hop == address; });
  stack_.counters.drop(InetDrop::out_unresolved, lost);
  return forget(address);
}

bool Neighbours::forget(const IpAddress& address) {
  return std::erase_if(entries_, [&](const Neighbour& entry) { return entry.address == address; }) > 0;
}

void Neighbours::flush() {
  std::erase_if(entries_, [](const Neighbour& entry) { return entry.state != NeighbourState::permanent; });
  stack_.counters.drop(InetDrop::out_unresolved, held_.size());
  held_.clear();
}

bool Neighbours::is_silent(const IpAddress& address) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), address, before);
  if (at == entries_.end() || at->address != address) return false;
  return (is_incomplete(*at) || at->state == NeighbourState::probe) && at->asked > 1;
}

void Neighbours::set_router(const IpAddress& address) {
  if (Neighbour* const entry = find(address); entry != nullptr) entry->router = true;
}

// --- time ---

void Neighbours::run_due() {
  std::vector<IpAddress> due;  // a step may send, and so change the table
  for (const Neighbour& entry : entries_) {
    if (entry.due <= stack_.domain.now()) due.push_back(entry.address);
  }
  for (const IpAddress& address : due) step(address);
  arm();
}

// The next step of one that is incomplete, delayed or probed.
void Neighbours::step(const IpAddress& address) {
  Neighbour* const entry = find(address);
  if (entry == nullptr) return;
  if (entry->state == NeighbourState::delay) {
    entry->state = NeighbourState::probe;
    entry->asked = 0;
  }
  if (entry->asked == kSolicitationsMax) return give_up(address);
  ++entry->asked;
  entry->due = stack_.domain.now() + retransmit_;
  arm();
  solicit(*entry);
}

void Neighbours::solicit(Neighbour& entry) {
  const std::optional<MacAddress> to = is_incomplete(entry) ? std::nullopt : std::optional(entry.mac);
  const IpAddress address = entry.address;
  if (address.is_v4()) stack_.arp.solicit(interface_, address, to);
  else stack_.nd6.solicit(interface_, address, to);
}

void Neighbours::arm() {
  Time earliest = Time::max();
  for (const Neighbour& entry : entries_) earliest = std::min(earliest, entry.due);
  if (earliest == Time::max()) due_.cancel();
  else due_.schedule(earliest);
}

}  // namespace vif::net::inet
