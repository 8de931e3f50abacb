// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/ip6.hpp"

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr unsigned kVersion = 6;
// Hop-by-hop header with a router alert for MLD (RFC 2711, 2.1) and padding; the first byte is the next header.
constexpr std::array<std::byte, 8> kRouterAlert = {std::byte{0}, std::byte{0}, std::byte{5}, std::byte{2},
                                                   std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};

}  // namespace

Ip6Header Ip6Header::load(const std::byte* from) {
  return {.traffic_class = static_cast<std::uint8_t>(load_be16(from) >> 4 & 0xff),
          .payload_bytes = load_be16(from + 4),
          .next_header = std::to_integer<std::uint8_t>(from[kNextHeaderAt]),
          .hops = std::to_integer<std::uint8_t>(from[7]),
          .src = IpAddress::load6(from + 8),
          .dst = IpAddress::load6(from + 24)};
}

void Ip6Header::store(std::byte* to) const {
  store_be32(to, kVersion << 28 | static_cast<std::uint32_t>(traffic_class) << 20);
  store_be16(to + 4, payload_bytes);
  to[kNextHeaderAt] = std::byte{next_header};
  to[7] = std::byte{hops};
  src.store6(to + 8);
  dst.store6(to + 24);
}

// In the order InetDrop lists them.
void Ip6::input(Interface& in, MbufPtr m) {
  InetCounters& count = stack_.counters;
  if (m->pkthdr.len < kIp6HeaderBytes) return count.drop(InetDrop::malformed);
  if (!m_pullup(m, kIp6HeaderBytes)) return count.drop(InetDrop::in_no_mbuf);
  const Ip6Header header = Ip6Header::load(m->data());
  const std::size_t total_bytes = kIp6HeaderBytes + header.payload_bytes;
  if (std::to_integer<unsigned>(m->data()[0]) >> 4 != kVersion || total_bytes > m->pkthdr.len) {
    return count.drop(InetDrop::malformed);
  }
  m_trim_back(m, m->pkthdr.len - total_bytes);  // Ethernet's padding

  const bool link_group = (m->pkthdr.flags & (M_BCAST | M_MCAST)) != 0;
  Packet packet{.in = &in,
                .m = std::move(m),
                .src = header.src,
                .dst = header.dst,
                .protocol = header.next_header,
                .hops = header.hops,
                .payload = kIp6HeaderBytes,
                .to_group = link_group};
  if (!addresses_are_right(packet)) return count.drop(InetDrop::bad_address);
  if (!is_ours(in, header.dst, packet.to_group)) return stack_.forward.input(std::move(packet));
  if (link_group && !header.dst.is_multicast()) return count.drop(InetDrop::ignored);
  walk(std::move(packet));
}

// RFC 4291, 2.5.2, 2.5.3 and 2.7; IPv4 addresses are for inside a host only (RFC 4942, 2.2).
bool Ip6::addresses_are_right(const Packet& packet) const {
  const IpAddress &src = packet.src, &dst = packet.dst;
  if (src.is_v4() || dst.is_v4() || src.is_multicast() || dst == kAny6) return false;
  if (src.is_loopback() || dst.is_loopback()) return false;
  constexpr unsigned kLinkScope = 2;
  return !dst.is_multicast() || dst.scope() >= kLinkScope;
}

bool Ip6::is_ours(Interface& in, const IpAddress& dst, bool& to_group) const {
  to_group |= dst.is_multicast();
  if (dst.is_multicast()) return in.groups.contains(dst);
  // A tentative address hears neighbour discovery, which arrives at its solicited-node group.
  return stack_.owner_of(dst, &in) != nullptr;
}

// --- out ---

Status Ip6::output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as) {
  stack_.counters.originated.add(1);
  const std::size_t alert_bytes = as.router_alert ? kRouterAlert.size() : 0;
  const std::size_t payload_bytes = payload->pkthdr.len + alert_bytes;
  if (payload_bytes > kIp6PayloadBytesMax) {
    stack_.counters.drop(InetDrop::out_too_big);
    return fail(std::errc::message_size, std::to_string(payload->pkthdr.len) + " bytes are too many for one packet");
  }
  std::byte* const at = m_prepend(payload, kIp6HeaderBytes + alert_bytes);
  if (at == nullptr) {
    stack_.counters.drop(InetDrop::out_no_mbuf);
    return fail(std::errc::no_buffer_space, "no mbuf for the IPv6 header");
  }
  const Ip6Header header{.traffic_class = as.traffic_class,
                         .payload_bytes = static_cast<std::uint16_t>(payload_bytes),
                         .next_header = as.router_alert ? kProtocolHopByHop : as.protocol,
                         .hops = as.hops,
                         .src = path.source,
                         .dst = dst};
  header.store(at);
  if (as.router_alert) {
    std::copy(kRouterAlert.begin(), kRouterAlert.end(), at + kIp6HeaderBytes);
    at[kIp6HeaderBytes] = std::byte{as.protocol};
  }
  payload->pkthdr.offload = {};
  if (kIp6HeaderBytes + payload_bytes <= path.mtu_bytes) return stack_.transmit(path, std::move(payload));
  if (as.whole || as.router_alert || path.mtu_bytes < kIp6MtuMin) {
    stack_.counters.drop(InetDrop::out_too_big);
    return fail(std::errc::message_size, "a packet of " + std::to_string(kIp6HeaderBytes + payload_bytes) +
                                             " bytes is above the path's MTU of " + std::to_string(path.mtu_bytes));
  }
  return send_cut(path, std::move(payload));
}

}  // namespace vif::net::inet
