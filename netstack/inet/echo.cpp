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
  const SendAs as{.protocol = kProtocolIcmp4, .hops = wanted.hops, .whole = wanted.whole};
  if (!wanted.to.is_v4()) return stack_.icmp6.send(*path, wanted.to, std::move(m), as);
  store_be16(at + 2, checksum_of({at, bytes}));
  return stack_.output(*path, wanted.to, std::move(m), as);
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
