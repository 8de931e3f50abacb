// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/arp.hpp"

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr std::uint16_t kHardwareEthernet = 1;  // RFC 826; IANA ARP parameters

}  // namespace

std::optional<ArpPacket> ArpPacket::load(const std::byte* from) {
  const bool ethernet_and_ip4 = load_be16(from) == kHardwareEthernet && load_be16(from + 2) == kEtherTypeIp4 &&
                                from[4] == std::byte{kMacBytes} && from[5] == std::byte{kIp4AddressBytes};
  if (!ethernet_and_ip4) return std::nullopt;
  return ArpPacket{load_be16(from + 6), MacAddress::load(from + 8), IpAddress::load4(from + 14),
                   MacAddress::load(from + 18), IpAddress::load4(from + 24)};
}

void ArpPacket::store(std::byte* to) const {
  store_be16(to, kHardwareEthernet);
  store_be16(to + 2, kEtherTypeIp4);
  to[4] = std::byte{kMacBytes};
  to[5] = std::byte{kIp4AddressBytes};
  store_be16(to + 6, operation);
  sender_mac.store(to + 8);
  sender.store4(to + 14);
  target_mac.store(to + 18);
  target.store4(to + 24);
}

void Arp::input(Interface& in, MbufPtr packet) {
  if (packet->pkthdr.len < kArpBytes) return stack_.counters.drop(InetDrop::malformed);
  std::array<std::byte, kArpBytes> bytes;
  m_copydata(*packet, 0, bytes);
  const std::optional<ArpPacket> said = ArpPacket::load(bytes.data());
  if (!said || said->sender_mac.is_group()) return stack_.counters.drop(InetDrop::malformed);
  if (in.ifp.is(IFF_NOARP)) return stack_.counters.drop(InetDrop::ignored);
  if (said->sender_mac == in.ifp.lladdr()) return stack_.counters.drop(InetDrop::ignored);  // our own, come back

  const bool is_probe = said->sender.is_unspecified();
  if (!is_probe && !said->sender.is_unicast()) return stack_.counters.drop(InetDrop::malformed);  // nobody's address

  // Two who probe for one address at once are in conflict too (RFC 5227, 2.1.1).
  const IpAddress claimed = is_probe ? said->target : said->sender;
  const InterfaceAddress* const ours = in.addresses.find(claimed);
  if (ours != nullptr && (!is_probe || ours->state == AddressState::tentative)) {
    stack_.counters.delivered.add(1);
    return in.addresses.other_user(claimed);
  }

  const bool to_us = in.addresses.is_usable(said->target);
  if (!to_us && !is_probe) learn(in, *said, false);
  if (!to_us) return stack_.counters.drop(InetDrop::not_ours);
  stack_.counters.delivered.add(1);
  if (!is_probe) learn(in, *said, true);
  if (said->operation != ArpPacket::kRequest) return;
  send(in, {ArpPacket::kReply, in.ifp.lladdr(), said->target, said->sender_mac, said->sender}, said->sender_mac);
}

// RFC 826's merge: whoever asks for us is added, others are only kept up to date. A reply to us is an answer.
void Arp::learn(Interface& in, const ArpPacket& said, bool to_us) {
  if (to_us && said.operation == ArpPacket::kReply) {
    return in.neighbours.advertised(
        said.sender, {.mac = said.sender_mac, .solicited = true, .override_known = true, .router = std::nullopt});
  }
  in.neighbours.heard_from(said.sender, said.sender_mac, to_us ? Neighbours::Unknown::add : Neighbours::Unknown::skip);
}

void Arp::solicit(Interface& out, const IpAddress& target, const std::optional<MacAddress>& to) {
  const InterfaceAddress* const source = out.addresses.source_for(target);
  if (source == nullptr || out.ifp.is(IFF_NOARP)) return;  // asked for in vain, it ends unresolved
  send(out, {ArpPacket::kRequest, out.ifp.lladdr(), source->address(), {}, target}, to.value_or(kBroadcast));
}

void Arp::probe(Interface& out, const IpAddress& address) {
  send(out, {ArpPacket::kRequest, out.ifp.lladdr(), kAny4, {}, address}, kBroadcast);
}

void Arp::announce(Interface& out, const IpAddress& address) {
  if (out.ifp.is(IFF_NOARP)) return;
  send(out, {ArpPacket::kRequest, out.ifp.lladdr(), address, {}, address}, kBroadcast);
}

void Arp::send(Interface& out, const ArpPacket& packet, const MacAddress& to) {
  stack_.counters.originated.add(1);
  MbufPtr m = stack_.domain.pool().get(kArpBytes);
  if (!m) return stack_.counters.drop(InetDrop::out_no_mbuf);
  packet.store(MbufPool::append(*m, kArpBytes));
  (void)stack_.emit(out, std::move(m), to, kEtherTypeArp);
}

}  // namespace vif::net::inet
