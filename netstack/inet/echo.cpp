// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/echo.hpp"

#include <algorithm>

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

Status Echo::request(const EchoRequest& wanted) {
  const std::optional<Path> path = stack_.path_to(wanted.to, any_of(wanted.to), stack_.find(wanted.via));
  if (!path) return fail(std::errc::network_unreachable, "no way to " + wanted.to.to_string());
  const std::size_t bytes = kIcmpHeaderBytes + wanted.payload.size();
  MbufPtr m = stack_.domain.pool().get(bytes);
  if (!m) return fail(std::errc::no_buffer_space, "no mbuf for an echo of " + std::to_string(bytes) + " bytes");
  std::byte* const at = MbufPool::append(*m, bytes);
  at[0] = std::byte{wanted.to.is_v4() ? Icmp4::kEchoRequest : Icmp6::kEchoRequest};
  at[1] = std::byte{0};
  store_be16(at + 2, 0);
  store_be16(at + 4, wanted.id);
  store_be16(at + 6, wanted.sequence);
  std::copy(wanted.payload.begin(), wanted.payload.end(), at + kIcmpHeaderBytes);
  sending(wanted.to, at);
  const SendAs as{.protocol = kProtocolIcmp4, .hops = wanted.hops, .whole = wanted.whole};
  if (!wanted.to.is_v4()) return stack_.icmp6.send(*path, wanted.to, std::move(m), as);
  store_be16(at + 2, checksum_of({at, bytes}));
  return stack_.output(*path, wanted.to, std::move(m), as);
}

void Echo::sending(const IpAddress& to, const std::byte* header) {
  const Sent sent{.to = to, .type = std::to_integer<std::uint8_t>(header[0]), .echo = load_be32(header + 4)};
  sent_[place_of(sent)] = sent;
}

bool Echo::has_sent(const Quoted& about) const {
  const Sent sent{.to = about.dst, .type = static_cast<std::uint8_t>(about.src_port >> 8), .echo = about.echo};
  return sent_[place_of(sent)] == sent;
}

std::size_t Echo::place_of(const Sent& sent) const {
  std::array<std::byte, kIp6AddressBytes + 1 + 4> bytes;
  sent.to.store6(bytes.data());
  bytes[kIp6AddressBytes] = std::byte{sent.type};
  store_be32(bytes.data() + kIp6AddressBytes + 1, sent.echo);
  return stack_.hash(bytes) % kSentMax;
}

// The request is looked for by the listeners, who know their ids.
void Echo::reply(Packet packet) {
  if (listeners.empty()) return stack_.counters.drop(InetDrop::ignored);
  stack_.counters.delivered.add(1);
  std::array<std::byte, kIcmpHeaderBytes> header;
  m_copydata(*packet.m, packet.payload, header);
  m_trim_front(packet.m, packet.payload + kIcmpHeaderBytes);
  const EchoReply said{.from = packet.src,
                       .to = packet.dst,
                       .id = load_be16(header.data() + 4),
                       .sequence = load_be16(header.data() + 6),
                       .hops = packet.hops,
                       .payload = *packet.m};
  const UpcallScope scope(stack_.domain);
  for (EchoListener* const listener : std::vector(listeners)) {
    if (std::find(listeners.begin(), listeners.end(), listener) != listeners.end()) listener->echo_replied(said);
  }
}

}  // namespace vif::net::inet
