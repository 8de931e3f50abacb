// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/route.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

bool same(const Route& a, const Route& b) {
  return a.to == b.to && a.gateway == b.gateway && a.out == b.out && a.origin == b.origin;
}

// Whether `a` is tried before `b`.
bool before(const Route& a, const Route& b) {
  if (a.to.bits != b.to.bits) return a.to.bits > b.to.bits;
  return a.preference > b.preference;
}

}  // namespace

Routes::Routes(Stack& stack) : stack_(stack), due_(stack.domain.callouts(), [this] { run_due(); }) {}

Status Routes::add(const Route& route) {
  Route wanted = route;
  wanted.to = wanted.to.network();
  const auto known =
      std::find_if(entries_.begin(), entries_.end(), [&](const Route& entry) { return same(entry, wanted); });
  // In its place: a router that repeats itself is no younger than the others.
  if (known != entries_.end() && known->preference == wanted.preference) {
    *known = wanted;
    arm();
    return {};
  }
  if (known != entries_.end()) entries_.erase(known);
  const auto advertised = std::count_if(entries_.begin(), entries_.end(), [&](const Route& entry) {
    return entry.origin == RouteOrigin::advertised && entry.out == wanted.out;
  });
  if (entries_.size() >= kRoutesMax ||
      (wanted.origin == RouteOrigin::advertised && static_cast<std::size_t>(advertised) >= kAdvertisedMax)) {
    return fail(std::errc::no_buffer_space, "no room for a route to " + wanted.to.to_string());
  }
  // Behind its equals: the oldest is tried first.
  entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), wanted, before), wanted);
  arm();
  return {};
}

bool Routes::remove(const Route& route) {
  Route wanted = route;
  wanted.to = wanted.to.network();
  return std::erase_if(entries_, [&](const Route& entry) { return same(entry, wanted); }) > 0;
}

Status Routes::add_connected(const IpPrefix& prefix, Interface& out) {
  return add({.to = prefix, .gateway = any_of(prefix.address), .out = &out, .origin = RouteOrigin::connected});
}

void Routes::remove_connected(const IpPrefix& prefix, Interface& out) {
  remove({.to = prefix, .gateway = any_of(prefix.address), .out = &out, .origin = RouteOrigin::connected});
}

void Routes::forget(const Interface& out) {
  std::erase_if(entries_, [&](const Route& entry) { return entry.out == &out; });
}

void Routes::forget_router(const Interface& out, const IpAddress& gateway) {
  std::erase_if(entries_, [&](const Route& entry) {
    return entry.out == &out && entry.gateway == gateway && entry.origin == RouteOrigin::advertised;
  });
}

void Routes::forget_advertised(const Interface& out) {
  std::erase_if(entries_,
                [&](const Route& entry) { return entry.out == &out && entry.origin == RouteOrigin::advertised; });
}

const Route* Routes::find(const IpAddress& destination, const Interface* via) const {
  const Route* found = nullptr;
  for (const Route& entry : entries_) {
    if (found != nullptr && before(*found, entry)) break;  // only equals of the first match may still be better
    if ((via != nullptr && entry.out != via) || !entry.to.contains(destination)) continue;
    if (entry.is_direct() || !entry.out->neighbours.is_silent(entry.gateway)) return &entry;
    if (found == nullptr) found = &entry;
  }
  return found;
}

void Routes::run_due() {
  const Time now = stack_.domain.now();
  std::erase_if(entries_, [&](const Route& entry) { return entry.valid_until <= now; });
  arm();
}

void Routes::arm() {
  Time earliest = Time::max();
  for (const Route& entry : entries_) earliest = std::min(earliest, entry.valid_until);
  if (earliest == Time::max()) due_.cancel();
  else due_.schedule(earliest);
}

}  // namespace vif::net::inet
