// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/stack.hpp"

#include <algorithm>

#include "netstack/ether.hpp"

namespace vif::net::inet {

Stack::Stack(Domain& domain_in, const InetConfig& config_in)
    : domain(domain_in),
      config(config_in),
      hash(domain_in.random().next(), domain_in.random().next()),
      routes(*this),
      arp(*this),
      ip4(*this),
      icmp4(*this),
      echo(*this),
      loop_(domain_in.callouts(), [this] { run_looped(); }) {}

Stack::~Stack() = default;

Interface* Stack::find(const Ifnet* ifp) const {
  const auto at = std::find_if(interfaces.begin(), interfaces.end(), [&](const auto& i) { return &i->ifp == ifp; });
  return at == interfaces.end() ? nullptr : at->get();
}

Interface* Stack::owner_of(const IpAddress& address, Interface* in) const {
  if (in != nullptr && in->addresses.is_usable(address)) return in;
  if (in != nullptr && address.is_link_local()) return nullptr;
  for (const auto& interface : interfaces) {
    if (interface->addresses.is_usable(address)) return interface.get();
  }
  return nullptr;
}

std::optional<Path> Stack::path_to(const IpAddress& dst, const IpAddress& source, Interface* via) {
  if (dst.is_multicast() || dst.is_limited_broadcast()) return path_to_group(dst, source, via);
  Path path{.source = source, .next_hop = dst};
  if (Interface* const owner = owner_of(dst, via); owner != nullptr) {
    path.out = owner;
    path.to_self = true;
  } else {
    const Route* const route = routes.find(dst, via);
    if (route == nullptr) return std::nullopt;
    path.out = route->out;
    if (!route->is_direct()) path.next_hop = route->gateway;
    else if (path.out->addresses.is_broadcast(dst)) path.group = kBroadcast;
  }
  if (!choose_source(path, dst)) return std::nullopt;
  path.mtu_bytes = path.out->ifp.mtu_bytes();
  return path;
}

// Through `via`, or as to a host behind that address (a default route), or the oldest interface.
std::optional<Path> Stack::path_to_group(const IpAddress& dst, const IpAddress& source, Interface* via) {
  if (via == nullptr) {
    const Route* const route = routes.find(dst, nullptr);
    if (route != nullptr) via = route->out;
    else if (!interfaces.empty()) via = interfaces.front().get();
  }
  if (via == nullptr) return std::nullopt;
  Path path{.out = via, .source = source, .next_hop = dst, .mtu_bytes = via->ifp.mtu_bytes(), .group = group_mac(dst)};
  // Whoever has no address yet may still call out for one (RFC 1122, 3.2.1.3 a).
  if (!choose_source(path, dst) && !dst.is_limited_broadcast()) return std::nullopt;
  return path;
}

bool Stack::choose_source(Path& path, const IpAddress& dst) {
  if (!path.source.is_unspecified()) return true;
  const InterfaceAddress* const source = path.out->addresses.source_for(dst);
  if (source == nullptr) return false;
  path.source = source->address();
  return true;
}

Status Stack::output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as) {
  return ip4.output(path, dst, std::move(payload), as);
}

Status Stack::transmit(const Path& path, MbufPtr packet) {
  const bool v6 = std::to_integer<unsigned>(packet->data()[0]) >> 4 == 6;
  if (path.group) return emit(*path.out, std::move(packet), *path.group, v6 ? kEtherTypeIp6 : kEtherTypeIp4);
  if (!path.to_self) return path.out->neighbours.output(std::move(packet), path.next_hop);
  if (looped_.size() == kLoopedMax) {
    counters.drop(InetDrop::out_hold_limit);
    return fail(std::errc::no_buffer_space, "too many packets to ourselves");
  }
  packet->pkthdr.flags = 0;
  packet->pkthdr.rcvif = 0;
  looped_.push_back({path.out, std::move(packet)});
  if (!loop_.pending()) loop_.schedule(domain.now());
  return {};
}

// As many as there are now: what they cause us to send to ourselves waits for the next round.
void Stack::run_looped() {
  for (Looped& looped : std::exchange(looped_, {})) {
    counters.looped.add(1);
    counters.received.add(1);
    const bool still_there = std::any_of(interfaces.begin(), interfaces.end(),
                                         [&](const auto& interface) { return interface.get() == looped.in; });
    if (still_there) ip4.input(*looped.in, std::move(looped.packet));
    else counters.drop(InetDrop::not_ours);
  }
}

Status Stack::emit(Interface& out, MbufPtr packet, const MacAddress& to, std::uint16_t ether_type) {
  packet->pkthdr.flags = 0;  // a tag it came with is of the link it came from
  packet->pkthdr.wire_len = 0;
  packet->pkthdr.timestamp_ns = 0;
  Status taken = ether_output(out.ifp, std::move(packet), to, ether_type);
  if (taken) counters.sent.add(1);
  else counters.drop(InetDrop::out_refused);
  return taken;
}

void Stack::unreachable(MbufPtr packet) {
  Packet about;
  about.m = std::move(packet);
  if (!m_pullup(about.m, kIp4HeaderBytes)) return;
  const Ip4Header header = Ip4Header::load(about.m->data());
  about.src = header.src;
  about.dst = header.dst;
  about.protocol = header.protocol;
  about.payload = header.header_bytes;
  if (owner_of(about.src, nullptr) != nullptr) return;
  icmp4.error(about, Icmp4::kUnreachable, Icmp4::kHostUnreachable, 0);
}

void Stack::lost_answer(InetDrop why) {
  counters.originated.add(1);
  counters.drop(why);
}

// The bucket as the time when it is full: each error moves that by its share of a second.
bool Stack::may_send_error() {
  constexpr Time kShare = Time(std::chrono::seconds(1)) / kErrorsPerSecond;
  const Time full_at = std::max(errors_full_at_, domain.now());
  if (full_at + kShare > domain.now() + kShare * kErrorsBurst) {
    counters.errors_suppressed.add(1);
    return false;
  }
  errors_full_at_ = full_at + kShare;
  return true;
}

void Stack::tell(Interface& interface, const InterfaceAddress& address, AddressEvent event) {
  for (InetListener* const listener : std::vector(listeners)) {
    const bool listens = std::find(listeners.begin(), listeners.end(), listener) != listeners.end();
    if (listens) listener->address_changed(interface.ifp, address, event);
  }
}

Time Stack::random_below(Time end) {
  return Time(
      static_cast<Time::rep>(domain.random().next() % static_cast<std::uint64_t>(std::max(end, Time(1)).count())));
}

}  // namespace vif::net::inet
