// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/addresses.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

Addresses::Addresses(Stack& stack, Interface& interface)
    : stack_(stack), interface_(interface), due_(stack.domain.callouts(), [this] { run_due(); }) {}

std::size_t Addresses::index_of(const IpAddress& address) const {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const InterfaceAddress& entry) { return entry.address() == address; });
  return static_cast<std::size_t>(at - entries_.begin());
}

const InterfaceAddress* Addresses::find(const IpAddress& address) const {
  const std::size_t index = index_of(address);
  return index < entries_.size() ? &entries_[index] : nullptr;
}

bool Addresses::is_usable(const IpAddress& address) const {
  const InterfaceAddress* const entry = find(address);
  return entry != nullptr && entry->usable();
}

bool Addresses::is_broadcast(const IpAddress& address) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const InterfaceAddress& entry) {
    return entry.usable() && entry.prefix.broadcast() == address;
  });
}

Status Addresses::add(const InterfaceAddress& wanted, Claim claim) {
  const std::string name = interface_.ifp.name() + ": " + wanted.address().to_string();
  if (!wanted.address().is_unicast() || wanted.address().is_loopback() ||
      wanted.prefix.broadcast() == wanted.address()) {
    return fail(std::errc::invalid_argument, name + " cannot be a host's address: expected a unicast one");
  }
  if (!wanted.address().is_v4() && !stack_.config.ip6) {
    return fail(std::errc::address_family_not_supported, name + " needs IPv6, which this stack is without");
  }
  if (find(wanted.address()) != nullptr) return fail(std::errc::file_exists, name + " is there already");
  if (entries_.size() == kAddressesMax) {
    return fail(std::errc::no_buffer_space,
                interface_.ifp.name() + " has all of its " + std::to_string(kAddressesMax) + " addresses");
  }
  // What fails leaves nothing behind. An autoconfigured address does not say what is on the link (RFC 5942, 4).
  const bool v6 = !wanted.address().is_v4();
  if (v6) {
    if (Status joined = interface_.groups.join(solicited_node(wanted.address())); !joined) return joined;
  }
  if (wanted.origin != AddressOrigin::autoconfigured) {
    if (Status routed = stack_.routes.add_connected(wanted.prefix, interface_); !routed) {
      if (v6) (void)interface_.groups.leave(solicited_node(wanted.address()));
      return routed;
    }
  }
  entries_.push_back(wanted);
  claiming_.emplace_back();
  start(entries_.size() - 1, claim);
  return {};
}

Status Addresses::remove(const IpAddress& address) {
  const std::size_t index = index_of(address);
  if (index == entries_.size()) {
    return fail(std::errc::address_not_available, interface_.ifp.name() + " does not have " + address.to_string());
  }
  erase(index);
  return {};
}

void Addresses::remove_all() {
  while (!entries_.empty()) erase(entries_.size() - 1);
}

void Addresses::erase(std::size_t index) {
  const InterfaceAddress gone = entries_[index];
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
  claiming_.erase(claiming_.begin() + static_cast<std::ptrdiff_t>(index));
  arm();
  const bool shared = std::any_of(entries_.begin(), entries_.end(), [&](const InterfaceAddress& entry) {
    return entry.prefix.network() == gone.prefix.network() && entry.origin != AddressOrigin::autoconfigured;
  });
  if (!gone.address().is_v4()) (void)interface_.groups.leave(solicited_node(gone.address()));
  if (!shared) stack_.routes.remove_connected(gone.prefix, interface_);
  tell(gone, AddressEvent::gone);
}

void Addresses::set_lifetimes(const IpAddress& address, Time preferred_until, Time valid_until) {
  const std::size_t index = index_of(address);
  if (index == entries_.size()) return;
  InterfaceAddress& entry = entries_[index];
  entry.preferred_until = preferred_until;
  entry.valid_until = valid_until;
  if (entry.state == AddressState::deprecated && preferred_until > stack_.domain.now()) {
    entry.state = AddressState::preferred;
  }
  arm();
}

void Addresses::claim_again() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const AddressState state = entries_[i].state;
    if (state != AddressState::duplicate) start(i, state == AddressState::tentative ? Claim::probe : Claim::at_once);
  }
}

// IPv6 asks first whatever the claim (RFC 4862, 5.4).
void Addresses::start(std::size_t index, Claim claim) {
  const bool v4 = entries_[index].address().is_v4();
  if (v4 ? claim == Claim::at_once : !stack_.config.dad) return become_usable(index);
  entries_[index].state = AddressState::tentative;
  claiming_[index].probes_left = v4 ? kProbes : kDadTransmits;
  claiming_[index].due = stack_.domain.now() + stack_.random_below(v4 ? kProbeWait : kDadWait);
  arm();
}

// The next probe, the end of probing, or the next announcement.
void Addresses::step(std::size_t index) {
  InterfaceAddress& entry = entries_[index];
  Claiming& claiming = claiming_[index];
  const IpAddress address = entry.address();
  const Time now = stack_.domain.now();
  if (entry.usable()) {
    --claiming.announcements_left;
    claiming.due = claiming.announcements_left > 0 ? now + kAnnounceInterval : Time::max();
    return stack_.arp.announce(interface_, address);
  }
  if (claiming.probes_left == 0) return become_usable(index);
  --claiming.probes_left;
  if (!address.is_v4()) {
    claiming.due = now + interface_.neighbours.retransmit();
    return stack_.nd6.probe(interface_, address);
  }
  const Time spacing = kProbeMin + stack_.random_below(kProbeMax - kProbeMin);
  claiming.due = now + (claiming.probes_left > 0 ? spacing : kAnnounceWait);
  stack_.arp.probe(interface_, address);
}

void Addresses::become_usable(std::size_t index) {
  InterfaceAddress& entry = entries_[index];
  Claiming& claiming = claiming_[index];
  entry.state = stack_.domain.now() < entry.preferred_until ? AddressState::preferred : AddressState::deprecated;
  claiming.due = Time::max();
  if (entry.address().is_v4()) {
    claiming.announcements_left = kAnnouncements;
    step(index);
  } else if (interface_.lladdr_is_new) {
    stack_.nd6.announce(interface_, IpAddress(entry.address()));
  }
  arm();
  const InterfaceAddress ready = entries_[index];
  if (ready.origin == AddressOrigin::link_local) {
    interface_.membership6.announce();
    interface_.router_discovery.start();
  }
  tell(ready, AddressEvent::ready);
}

void Addresses::other_user(const IpAddress& address) {
  const std::size_t index = index_of(address);
  if (index == entries_.size()) return;
  InterfaceAddress& entry = entries_[index];
  Claiming& claiming = claiming_[index];
  if (entry.state == AddressState::duplicate) return;
  stack_.counters.conflicts.add(1);
  if (entry.state == AddressState::tentative) {
    entry.state = AddressState::duplicate;
    claiming.due = Time::max();
    return tell(InterfaceAddress(entry), AddressEvent::duplicate);
  }
  // Two hosts that both defend with every packet of the other's would fill the link (RFC 5227, 2.4).
  const Time now = stack_.domain.now();
  const InterfaceAddress ours = entry;
  if (address.is_v4() && (claiming.defended == Time::min() || now >= claiming.defended + kDefendInterval)) {
    claiming.defended = now;
    stack_.arp.announce(interface_, address);
  }
  tell(ours, AddressEvent::conflict);
}

const InterfaceAddress* Addresses::source_for(const IpAddress& destination) const {
  const InterfaceAddress* best = nullptr;
  // True when `a` suits better than `b`.
  const auto better = [&](const InterfaceAddress& a, const InterfaceAddress& b) {
    if ((a.address() == destination) != (b.address() == destination)) return a.address() == destination;
    const unsigned wanted = destination.scope(), sa = a.address().scope(), sb = b.address().scope();
    if (sa != sb) return sa < sb ? sa >= wanted : sb < wanted;
    if (a.state != b.state) return a.state == AddressState::preferred;
    return common_bits(a.address(), destination) > common_bits(b.address(), destination);
  };
  for (const InterfaceAddress& entry : entries_) {
    if (!entry.usable() || entry.address().is_v4() != destination.is_v4()) continue;
    if (best == nullptr || better(entry, *best)) best = &entry;
  }
  return best;
}

// --- time ---

void Addresses::run_due() {
  const Time now = stack_.domain.now();
  age(now);
  // A step may tell listeners, who may remove addresses.
  std::vector<IpAddress> due;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (claiming_[i].due <= now) due.push_back(entries_[i].address());
  }
  for (const IpAddress& address : due) {
    if (const std::size_t index = index_of(address); index < entries_.size()) step(index);
  }
  arm();
}

void Addresses::age(Time now) {
  std::vector<IpAddress> over;
  std::vector<InterfaceAddress> deprecated;
  for (InterfaceAddress& entry : entries_) {
    if (entry.valid_until <= now) {
      over.push_back(entry.address());
    } else if (entry.state == AddressState::preferred && entry.preferred_until <= now) {
      entry.state = AddressState::deprecated;
      deprecated.push_back(entry);
    }
  }
  for (const IpAddress& address : over) (void)remove(address);
  for (const InterfaceAddress& entry : deprecated) tell(entry, AddressEvent::deprecated);
}

void Addresses::arm() {
  Time earliest = Time::max();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    earliest = std::min({earliest, claiming_[i].due, entries_[i].valid_until});
    if (entries_[i].state == AddressState::preferred) earliest = std::min(earliest, entries_[i].preferred_until);
  }
  if (earliest == Time::max()) due_.cancel();
  else due_.schedule(earliest);
}

void Addresses::tell(const InterfaceAddress& address, AddressEvent event) { stack_.tell(interface_, address, event); }

}  // namespace vif::net::inet
