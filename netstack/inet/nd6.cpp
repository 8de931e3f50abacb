// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/nd6.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// Flags of an advertisement: RFC 4861, 4.4.
constexpr std::uint8_t kRouterFlag = 0x80, kSolicitedFlag = 0x40, kOverrideFlag = 0x20;
constexpr std::size_t kTargetAt = kIcmpHeaderBytes;
constexpr std::size_t kTargetedBytes = kTargetAt + kIp6AddressBytes;  // a solicitation or advertisement, less options
constexpr std::size_t kMessageBytesMax = 1024;                        // what is looked at; no honest one is longer

// A message to be sent, with one option behind it at most.
template <std::size_t kBytes>
struct Outgoing {
  std::array<std::byte, kBytes> bytes{};

  explicit Outgoing(std::uint8_t type) { bytes[0] = std::byte{type}; }
  void target(const IpAddress& address) { address.store6(bytes.data() + kTargetAt); }
  std::byte* option(std::size_t at, std::uint8_t type) {
    bytes[at] = std::byte{type};
    bytes[at + 1] = std::byte{1};  // of eight bytes
    return bytes.data() + at + 2;
  }
};
using Targeted = Outgoing<kTargetedBytes + Nd6Options::kMacBytes>;

}  // namespace

bool Nd6Options::parse(Bytes options) {
  while (!options.empty()) {
    if (options.size() < 2) return false;
    const auto type = std::to_integer<std::uint8_t>(options[0]);
    const std::size_t bytes = std::to_integer<std::size_t>(options[1]) * 8;
    if (bytes == 0 || bytes > options.size()) return false;
    if (type == kSourceMac && bytes == kMacBytes) source_mac = MacAddress::load(options.data() + 2);
    else if (type == kTargetMac && bytes == kMacBytes) target_mac = MacAddress::load(options.data() + 2);
    else if (type == kMtu && bytes == kMtuBytes) mtu_bytes = load_be32(options.data() + 4);
    else if (type == kNonce && bytes == kNonceBytes) nonce = options.subspan(2, bytes - 2);
    else if (type == kPrefix && bytes == kPrefixBytes && prefix_count < kPrefixesMax) {
      prefixes[prefix_count++] = options.first(bytes);
    }
    options = options.subspan(bytes);
  }
  return !(source_mac && source_mac->is_group()) && !(target_mac && target_mac->is_group());
}

// Invalid messages are dropped silently (RFC 4861, 6.1, 7.1, 8.1), those in fragments too (RFC 6980, 5).
void Nd6::input(Packet packet) {
  InetCounters& count = stack_.counters;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  if (packet.hops != kHops || packet.was_cut || bytes > kMessageBytesMax)
    return count.drop(InetDrop::invalid_discovery);
  if (!m_pullup(packet.m, packet.m->pkthdr.len)) return count.drop(InetDrop::in_no_mbuf);
  const Bytes message = packet.m->bytes().subspan(packet.payload);
  const auto type = std::to_integer<std::uint8_t>(message[0]);
  if (message[1] != std::byte{0}) return count.drop(InetDrop::invalid_discovery);
  bool valid = false;
  if (type == kNeighbourSolicitation || type == kNeighbourAdvertisement) {
    Message said{.type = type, .flags = 0, .target = {}, .options = {}};
    if (message.size() < kTargetedBytes || !said.options.parse(message.subspan(kTargetedBytes))) {
      return count.drop(InetDrop::invalid_discovery);
    }
    said.flags = std::to_integer<std::uint8_t>(message[4]);
    said.target = IpAddress::load6(message.data() + kTargetAt);
    const bool one_host = !said.target.is_multicast() && !said.target.is_v4();
    valid = one_host && (type == kNeighbourSolicitation ? solicited(packet, said) : advertised(packet, said));
  } else {
    valid = packet.in->router_discovery.input(packet, message);
  }
  if (!valid) count.drop(InetDrop::invalid_discovery);
}

// RFC 4861, 7.1.1 and 7.2.3. False: invalid.
bool Nd6::solicited(const Packet& packet, const Message& message) {
  Interface& in = *packet.in;
  const bool anonymous = packet.src == kAny6;
  if (anonymous && (packet.dst != solicited_node(message.target) || message.options.source_mac)) return false;
  const InterfaceAddress* const ours = in.addresses.find(message.target);
  if (ours == nullptr || ours->state == AddressState::duplicate) {
    stack_.counters.drop(InetDrop::not_ours);
    return true;
  }
  stack_.counters.delivered.add(1);
  if (ours->state == AddressState::tentative) {
    // Somebody else is about to take it as we are, unless it is our own question come back (RFC 7527, 4.2).
    const bool own = std::ranges::equal(message.options.nonce, as_bytes(in.nonce));
    if (anonymous && !own) in.addresses.other_user(message.target);
    return true;
  }
  if (!anonymous && message.options.source_mac) {
    in.neighbours.heard_from(packet.src, *message.options.source_mac, Neighbours::Unknown::add);
  }
  // To all, when it has no address yet (RFC 4861, 7.2.4).
  advertise(in, message.target, anonymous ? kAllNodes6 : packet.src);
  return true;
}

// RFC 4861, 7.1.2 and 7.2.5. False: invalid.
bool Nd6::advertised(const Packet& packet, const Message& message) {
  const bool was_solicited = (message.flags & kSolicitedFlag) != 0;
  if (packet.dst.is_multicast() && was_solicited) return false;
  Interface& in = *packet.in;
  stack_.counters.delivered.add(1);
  if (in.addresses.find(message.target) != nullptr) {
    in.addresses.other_user(message.target);
    return true;
  }
  in.neighbours.advertised(message.target, {.mac = message.options.target_mac,
                                            .solicited = was_solicited,
                                            .override_known = (message.flags & kOverrideFlag) != 0,
                                            .router = (message.flags & kRouterFlag) != 0});
  return true;
}

void Nd6::announce(Interface& out, const IpAddress& address) { advertise(out, address, kAllNodes6); }

void Nd6::advertise(Interface& out, const IpAddress& target, const IpAddress& to) {
  const std::optional<Path> path = stack_.path_to(to, target, &out);
  if (!path) return stack_.lost_answer();
  Targeted message(kNeighbourAdvertisement);
  const bool router = stack_.config.forwarding;
  message.bytes[4] = std::byte{
      static_cast<std::uint8_t>((router ? kRouterFlag : 0) | (to == kAllNodes6 ? 0 : kSolicitedFlag) | kOverrideFlag)};
  message.target(target);
  out.ifp.lladdr().store(message.option(kTargetedBytes, Nd6Options::kTargetMac));
  send(*path, to, message.bytes);
}

void Nd6::solicit(Interface& out, const IpAddress& target, const std::optional<MacAddress>& to) {
  const InterfaceAddress* const source = out.addresses.source_for(target);
  if (source == nullptr) return;  // asked for in vain, it ends unresolved
  const IpAddress dst = to ? target : solicited_node(target);
  Targeted message(kNeighbourSolicitation);
  message.target(target);
  out.ifp.lladdr().store(message.option(kTargetedBytes, Nd6Options::kSourceMac));
  send({.out = &out,
        .source = source->address(),
        .next_hop = dst,
        .mtu_bytes = out.mtu6(),
        .mac = to ? *to : group_mac(dst)},
       dst, message.bytes);
}

void Nd6::probe(Interface& out, const IpAddress& address) {
  const IpAddress dst = solicited_node(address);
  Targeted message(kNeighbourSolicitation);
  message.target(address);
  const std::uint64_t chance = stack_.domain.random().next();
  std::memcpy(out.nonce.data(), &chance, out.nonce.size());
  std::memcpy(message.option(kTargetedBytes, Nd6Options::kNonce), out.nonce.data(), out.nonce.size());
  send({.out = &out, .source = kAny6, .next_hop = dst, .mtu_bytes = out.mtu6(), .mac = group_mac(dst)}, dst,
       message.bytes);
}

void Nd6::solicit_routers(Interface& out) {
  const InterfaceAddress* const source = out.addresses.source_for(kAllRouters6);
  if (source == nullptr) return;
  Outgoing<kIcmpHeaderBytes + Nd6Options::kMacBytes> message(kRouterSolicitation);
  out.ifp.lladdr().store(message.option(kIcmpHeaderBytes, Nd6Options::kSourceMac));
  send({.out = &out,
        .source = source->address(),
        .next_hop = kAllRouters6,
        .mtu_bytes = out.mtu6(),
        .mac = group_mac(kAllRouters6)},
       kAllRouters6, message.bytes);
}

void Nd6::send(Path path, const IpAddress& dst, std::span<const std::byte> message) {
  MbufPtr m = stack_.domain.pool().copy_in(message);
  if (!m) return stack_.lost_answer(InetDrop::out_no_mbuf);
  (void)stack_.icmp6.send(path, dst, std::move(m), {.hops = kHops});
}

}  // namespace vif::net::inet
