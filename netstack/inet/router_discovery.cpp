// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/router_discovery.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr std::size_t kAdvertisementBytes = 16;                   // RFC 4861, 4.2, without options
constexpr std::size_t kRedirectBytes = 8 + 2 * kIp6AddressBytes;  // RFC 4861, 4.5, without options
constexpr std::uint32_t kForEver = 0xffff'ffff;                   // RFC 4861, 4.6.2: a lifetime

// The time in `seconds`, as a message says them.
Time until(Time now, std::uint32_t seconds) {
  return seconds == kForEver ? Time::max() : now + std::chrono::seconds(seconds);
}

}  // namespace

RouterDiscovery::RouterDiscovery(Stack& stack, Interface& interface)
    : stack_(stack), interface_(interface), ask_(stack.domain.callouts(), [this] { ask(); }) {}

void RouterDiscovery::start() {
  if (stack_.config.forwarding) return;
  asked_ = 0;
  ask_.schedule(stack_.domain.now() + stack_.random_below(kSolicitationDelay));
}

void RouterDiscovery::ask() {
  if (++asked_ < kSolicitations) ask_.schedule(stack_.domain.now() + kSolicitationInterval);
  stack_.nd6.solicit_routers(interface_);
}

// Only from the link itself: RFC 4861, 6.1.2 and 8.1.
bool RouterDiscovery::input(const Packet& packet, Bytes message) {
  const auto type = std::to_integer<std::uint8_t>(message[0]);
  if (type == Nd6::kRouterSolicitation || stack_.config.forwarding) {
    stack_.counters.drop(InetDrop::ignored);  // we advertise nothing, and believe no other router
    return true;
  }
  if (!packet.src.is_link_local()) return false;
  return type == Nd6::kRedirect ? redirected(packet, message) : advertised(packet, message);
}

bool RouterDiscovery::advertised(const Packet& packet, Bytes message) {
  Nd6Options options;
  if (message.size() < kAdvertisementBytes || !options.parse(message.subspan(kAdvertisementBytes))) return false;
  stack_.counters.delivered.add(1);
  ask_.cancel();
  if (options.source_mac) {
    interface_.neighbours.heard_from(packet.src, *options.source_mac, Neighbours::Unknown::add);
  }
  take_timing(message);
  if (options.mtu_bytes && *options.mtu_bytes >= kIp6MtuMin) interface_.router_mtu_bytes = *options.mtu_bytes;
  take_router(packet.src, message);
  for (std::size_t i = 0; i < options.prefix_count; ++i) take_prefix(options.prefixes[i]);
  return true;
}

// A default route, for as long as it says: RFC 4861, 6.3.4; RFC 4191, 2.2.
void RouterDiscovery::take_router(const IpAddress& router, Bytes message) {
  const auto flags = std::to_integer<unsigned>(message[5]);
  const std::uint16_t seconds = load_be16(message.data() + 6);
  const unsigned preference = flags >> 3 & 3;  // 01 high, 00 and the reserved 10 medium, 11 low
  const Route route{.to = {.address = kAny6, .bits = 0},
                    .gateway = router,
                    .out = &interface_,
                    .origin = RouteOrigin::advertised,
                    .preference = static_cast<std::int8_t>(preference == 1   ? 1
                                                           : preference == 3 ? -1
                                                                             : 0),
                    .valid_until = stack_.domain.now() + std::chrono::seconds(seconds)};
  if (seconds == 0) {
    stack_.routes.remove(route);
    return;
  }
  interface_.neighbours.set_router(router);
  (void)stack_.routes.add(route);  // one too many routers is not listened to
}

// 0 leaves a value as it is: RFC 4861, 6.3.4.
void RouterDiscovery::take_timing(Bytes message) {
  const auto hops = std::to_integer<std::uint8_t>(message[4]);
  const std::uint32_t reachable_ms = load_be32(message.data() + 8), retransmit_ms = load_be32(message.data() + 12);
  if (hops != 0) interface_.hops = hops;
  // What would make us flood the link, or never ask again, is not believed (RFC 4861, 6.2.1: at most an hour).
  constexpr std::uint32_t kReachableMsMax = 3'600'000, kRetransmitMsMin = 100, kRetransmitMsMax = 60'000;
  if (reachable_ms != 0 && reachable_ms <= kReachableMsMax) {
    interface_.neighbours.set_reachable(std::chrono::milliseconds(reachable_ms));
  }
  if (retransmit_ms != 0) {
    interface_.neighbours.set_retransmit(
        std::chrono::milliseconds(std::clamp(retransmit_ms, kRetransmitMsMin, kRetransmitMsMax)));
  }
}

// RFC 4861, 6.3.4 for routes, RFC 4862, 5.5.3 for addresses.
void RouterDiscovery::take_prefix(Bytes option) {
  constexpr unsigned kOnLink = 0x80, kAutonomous = 0x40;
  const auto flags = std::to_integer<unsigned>(option[3]);
  const std::uint32_t valid = load_be32(option.data() + 4), preferred = load_be32(option.data() + 8);
  const IpPrefix prefix =
      IpPrefix{IpAddress::load6(option.data() + 16), std::to_integer<std::uint8_t>(option[2])}.network();
  if (prefix.bits > 128 || prefix.address.is_link_local() || prefix.address.is_multicast()) return;
  if (prefix.address.is_v4()) return;
  const Time now = stack_.domain.now();
  if ((flags & kOnLink) != 0) {
    const Route route{.to = prefix,
                      .gateway = kAny6,
                      .out = &interface_,
                      .origin = RouteOrigin::advertised,
                      .valid_until = until(now, valid)};
    if (valid == 0) stack_.routes.remove(route);
    else (void)stack_.routes.add(route);
  }
  if ((flags & kAutonomous) != 0 && preferred <= valid) {
    autoconfigure(prefix, until(now, preferred), until(now, valid));
  }
}

void RouterDiscovery::autoconfigure(const IpPrefix& prefix, Time preferred_until, Time valid_until) {
  constexpr std::uint8_t kIdentifierBits = 64;
  if (prefix.bits + kIdentifierBits != 128) return;
  const Time now = stack_.domain.now();
  const auto& entries = interface_.addresses.entries();
  const auto ours = std::find_if(entries.begin(), entries.end(), [&](const InterfaceAddress& entry) {
    return entry.origin == AddressOrigin::autoconfigured && entry.prefix.network() == prefix;
  });
  if (ours != entries.end()) {
    // Nobody may end an address at once by sending one packet.
    const Time left = ours->valid_until == Time::max() ? Time::max() : ours->valid_until - now;
    if (valid_until < now + kLifetimeMin) valid_until = left <= kLifetimeMin ? ours->valid_until : now + kLifetimeMin;
    return interface_.addresses.set_lifetimes(ours->address(), preferred_until, valid_until);
  }
  if (valid_until <= now) return;
  // No room, or the user has that very address: then it is not ours to make.
  (void)interface_.addresses.add({.prefix = {with_eui64(prefix.address, interface_.ifp.lladdr()), prefix.bits},
                                  .origin = AddressOrigin::autoconfigured,
                                  .preferred_until = preferred_until,
                                  .valid_until = valid_until},
                                 Claim::probe);
}

// RFC 4861, 8.1 and 8.3: from the router we use for the destination, and to one on the link.
bool RouterDiscovery::redirected(const Packet& packet, Bytes message) {
  Nd6Options options;
  if (message.size() < kRedirectBytes || !options.parse(message.subspan(kRedirectBytes))) return false;
  const IpAddress target = IpAddress::load6(message.data() + 8);
  const IpAddress destination = IpAddress::load6(message.data() + 8 + kIp6AddressBytes);
  const bool direct = target == destination;
  if (destination.is_multicast() || destination.is_v4() || (!direct && !target.is_link_local())) return false;
  const Route* const used = stack_.routes.find(destination, &interface_);
  if (used == nullptr || used->gateway != packet.src) return false;
  stack_.counters.delivered.add(1);
  if (options.target_mac) {
    interface_.neighbours.heard_from(target, *options.target_mac, Neighbours::Unknown::add);
  }
  if (!direct) interface_.neighbours.set_router(target);
  (void)stack_.routes.add({.to = {.address = destination, .bits = 128},
                           .gateway = direct ? kAny6 : target,
                           .out = &interface_,
                           .origin = RouteOrigin::advertised,
                           .valid_until = stack_.domain.now() + kRedirectLifetime});
  return true;
}

}  // namespace vif::net::inet
