// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/stack.hpp"

#include <algorithm>

#include "netstack/ether.hpp"

namespace vif::net::inet {
namespace {

// Of a packet in one piece at its front.
bool is_v6(const Mbuf& packet) { return std::to_integer<unsigned>(packet.bytes()[0]) >> 4 == 6; }

}  // namespace

Quoted quote(const Mbuf& m, std::size_t payload, Quoted known) {
  std::array<std::byte, 4> ports;
  if (m.pkthdr.len < payload + ports.size()) return known;
  m_copydata(m, payload, ports);
  known.src_port = load_be16(ports.data());
  known.dst_port = load_be16(ports.data() + 2);
  std::array<std::byte, kIcmpHeaderBytes> header;
  if (m.pkthdr.len < payload + header.size()) return known;
  m_copydata(m, payload, header);
  known.echo = load_be32(header.data() + 4);
  return known;
}

Stack::Stack(Domain& domain_in, const InetConfig& config_in)
    : domain(domain_in),
      config(config_in),
      hash(domain_in.random().next(), domain_in.random().next()),
      routes(*this),
      reassembly(*this),
      arp(*this),
      ip4(*this),
      icmp4(*this),
      ip6(*this),
      icmp6(*this),
      nd6(*this),
      group_messages(*this),
      forward(*this),
      echo(*this),
      udp(*this),
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
    else if (path.out->addresses.is_broadcast(dst)) path.mac = kBroadcast;
  }
  if (!choose_source(path, dst)) return std::nullopt;
  path.mtu_bytes = path_mtus.get(dst, path.out->mtu(dst), domain.now());
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
  Path path{.out = via, .source = source, .next_hop = dst, .mtu_bytes = via->mtu(dst), .mac = group_mac(dst)};
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
  SendAs how = as;
  if (how.hops == 0 && dst.is_multicast()) how.hops = 1;  // RFC 1112, 6.1; RFC 3493, 5.2
  if (dst.is_v4()) {
    if (how.hops == 0) how.hops = kHopsDefault;
    return ip4.output(path, dst, std::move(payload), how);
  }
  if (how.hops == 0) how.hops = path.out->hops;
  return ip6.output(path, dst, std::move(payload), how);
}

Status Stack::transmit(const Path& path, MbufPtr packet) {
  const bool v6 = is_v6(*packet);
  if (path.mac) return emit(*path.out, std::move(packet), *path.mac, v6 ? kEtherTypeIp6 : kEtherTypeIp4);
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
    if (!still_there) counters.drop(InetDrop::not_ours);
    else if (is_v6(*looped.packet)) ip6.input(*looped.in, std::move(looped.packet));
    else ip4.input(*looped.in, std::move(looped.packet));
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

void Stack::port_unreachable(const Packet& about) {
  if (about.src.is_v4()) return icmp4.error(about, Icmp4::kUnreachable, Icmp4::kPortUnreachable, 0);
  icmp6.error(about, Icmp6::kUnreachable, Icmp6::kPortUnreachable, 0);
}

void Stack::reassembly_timed_out(const Packet& first_fragment) {
  if (first_fragment.src.is_v4()) {
    return icmp4.error(first_fragment, Icmp4::kTimeExceeded, Icmp4::kInReassembly, 0);
  }
  icmp6.error(first_fragment, Icmp6::kTimeExceeded, Icmp6::kInReassembly, 0);
}

void Stack::unreachable(MbufPtr packet) {
  Packet about;
  about.m = std::move(packet);
  const bool v6 = is_v6(*about.m);
  if (!m_pullup(about.m, v6 ? kIp6HeaderBytes : kIp4HeaderBytes)) return;
  if (v6) {
    const Ip6Header header = Ip6Header::load(about.m->data());
    about.src = header.src, about.dst = header.dst, about.protocol = header.next_header;
    about.payload = kIp6HeaderBytes;
  } else {
    const Ip4Header header = Ip4Header::load(about.m->data());
    about.src = header.src, about.dst = header.dst, about.protocol = header.protocol;
    about.payload = header.header_bytes;
  }
  if (owner_of(about.src, nullptr) != nullptr) {
    return hear_error(quote(*about.m, about.payload, {.src = about.src, .dst = about.dst, .protocol = about.protocol}),
                      EHOSTUNREACH);
  }
  if (v6) icmp6.error(about, Icmp6::kUnreachable, Icmp6::kAddressUnreachable, 0);
  else icmp4.error(about, Icmp4::kUnreachable, Icmp4::kHostUnreachable, 0);
}

bool Stack::has_sent(const Quoted& about) {
  if (owner_of(about.src, about.in) == nullptr) return false;
  if (about.protocol == kProtocolUdp) return udp.has_sent(about);
  const bool icmp = about.protocol == (about.dst.is_v4() ? kProtocolIcmp4 : kProtocolIcmp6);
  return icmp && echo.has_sent(about);
}

void Stack::hear_error(const Quoted& about, int number) {
  if (about.protocol != kProtocolUdp || about.src_port == 0) return;
  udp.hear_error(about, fail(number, about.dst.to_string() + ", port " + std::to_string(about.dst_port) +
                                         " did not get a datagram: " + std::generic_category().message(number)));
}

void Stack::hear_too_big(const Quoted& about, std::uint32_t mtu_bytes) {
  path_mtus.lower(about.dst, mtu_bytes, domain.now());
  hear_error(about, EMSGSIZE);
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
  const UpcallScope scope(domain);  // what a listener destroys or detaches may be below us
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
