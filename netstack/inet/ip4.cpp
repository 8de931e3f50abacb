// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/ip4.hpp"

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr std::uint8_t kVersion = 4;
// RFC 2113, 2.1: type 148, 4 bytes, value 0.
constexpr std::array<std::byte, 4> kRouterAlert = {std::byte{148}, std::byte{4}, std::byte{0}, std::byte{0}};

// Whether it is among the options, which end where they are not well-formed (RFC 791, 3.1).
bool has_router_alert(Bytes options) {
  constexpr std::byte kEnd{0}, kNoOperation{1};
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kNoOperation) {
      options = options.subspan(1);
      continue;
    }
    const std::size_t bytes = options.size() < 2 ? 0 : std::to_integer<std::size_t>(options[1]);
    if (bytes < 2 || bytes > options.size()) return false;
    if (bytes == kRouterAlert.size() && options[0] == kRouterAlert[0]) return true;
    options = options.subspan(bytes);
  }
  return false;
}

}  // namespace

Ip4Header Ip4Header::load(const std::byte* from) {
  return {.header_bytes = static_cast<std::uint8_t>((std::to_integer<unsigned>(from[0]) & 15) * 4),
          .type_of_service = std::to_integer<std::uint8_t>(from[1]),
          .total_bytes = load_be16(from + 2),
          .id = load_be16(from + 4),
          .fragment = load_be16(from + 6),
          .ttl = std::to_integer<std::uint8_t>(from[8]),
          .protocol = std::to_integer<std::uint8_t>(from[9]),
          .src = IpAddress::load4(from + 12),
          .dst = IpAddress::load4(from + 16)};
}

void Ip4Header::store(std::byte* to) const {
  to[0] = static_cast<std::byte>(kVersion << 4 | header_bytes / 4);
  to[1] = std::byte{type_of_service};
  store_be16(to + 2, total_bytes);
  store_be16(to + 4, id);
  store_be16(to + 6, fragment);
  to[8] = std::byte{ttl};
  to[9] = std::byte{protocol};
  store_be16(to + 10, 0);
  src.store4(to + 12);
  dst.store4(to + 16);
}

void set_ip4_checksum(std::byte* at, std::size_t bytes) {
  store_be16(at + 10, 0);
  store_be16(at + 10, checksum_of({at, bytes}));
}

// The tests of RFC 1122, 3.2.1, in the order InetDrop lists them.
void Ip4::input(Interface& in, MbufPtr m) {
  InetCounters& count = stack_.counters;
  if (m->pkthdr.len < kIp4HeaderBytes) return count.drop(InetDrop::malformed);
  if (!m_pullup(m, kIp4HeaderBytes)) return count.drop(InetDrop::in_no_mbuf);
  const Ip4Header header = Ip4Header::load(m->data());
  const bool well_formed = std::to_integer<unsigned>(m->data()[0]) >> 4 == kVersion &&
                           header.header_bytes >= kIp4HeaderBytes && header.total_bytes >= header.header_bytes &&
                           header.total_bytes <= m->pkthdr.len;
  if (!well_formed) return count.drop(InetDrop::malformed);
  m_trim_back(m, m->pkthdr.len - header.total_bytes);  // Ethernet's padding
  if (!m_pullup(m, header.header_bytes)) return count.drop(InetDrop::in_no_mbuf);
  if (checksum_of(m->bytes().first(header.header_bytes)) != 0) return count.drop(InetDrop::bad_checksum);

  Packet packet{.in = &in,
                .m = {},
                .src = header.src,
                .dst = header.dst,
                .protocol = header.protocol,
                .hops = header.ttl,
                .payload = header.header_bytes,
                .to_group = (m->pkthdr.flags & (M_BCAST | M_MCAST)) != 0,
                .router_alert = header.header_bytes > kIp4HeaderBytes &&
                                has_router_alert(m->bytes().first(header.header_bytes).subspan(kIp4HeaderBytes))};
  const bool source_is_host = header.src.is_unspecified() || header.src.is_unicast();
  const bool loopback = header.src.is_loopback() || header.dst.is_loopback();
  if (!source_is_host || loopback || in.addresses.is_broadcast(header.src)) return count.drop(InetDrop::bad_address);
  packet.m = std::move(m);
  const bool sent_to_group = packet.to_group;
  if (is_ours(in, header.dst, packet.to_group)) {
    // A link-level broadcast that names one host is no host's business (RFC 1122, 3.3.6).
    if (sent_to_group && header.dst.is_unicast() && !in.addresses.is_broadcast(header.dst)) {
      return count.drop(InetDrop::ignored);
    }
    if (!header.is_fragment()) return deliver(std::move(packet));
    std::optional<Packet> whole = reassemble(std::move(packet));
    if (whole) deliver(std::move(*whole));
    return;
  }
  stack_.forward.input(std::move(packet));
}

// The weak model (RFC 1122, 3.3.4.2): any address of ours, on whichever interface it arrives.
bool Ip4::is_ours(Interface& in, const IpAddress& dst, bool& to_group) const {
  const bool group =
      dst.is_multicast() ? in.groups.contains(dst) : dst.is_limited_broadcast() || in.addresses.is_broadcast(dst);
  to_group = to_group || group || dst.is_multicast();
  return group || (!dst.is_multicast() && stack_.owner_of(dst, &in) != nullptr);
}

void Ip4::deliver(Packet packet) {
  switch (packet.protocol) {
    case kProtocolIcmp4:
      return stack_.icmp4.input(std::move(packet));
    case kProtocolIgmp:
      return stack_.group_messages.igmp_input(std::move(packet));
    case kProtocolUdp:
      return stack_.udp.input(std::move(packet));
    default:
      stack_.icmp4.error(packet, Icmp4::kUnreachable, Icmp4::kProtocolUnreachable, 0);
      stack_.counters.drop(InetDrop::unknown_protocol);
  }
}

Status Ip4::output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as) {
  stack_.counters.originated.add(1);
  const std::size_t header_bytes = kIp4HeaderBytes + (as.router_alert ? kRouterAlert.size() : 0);
  const std::size_t total_bytes = header_bytes + payload->pkthdr.len;
  if (total_bytes > kIp4PacketBytesMax) {
    stack_.counters.drop(InetDrop::out_too_big);
    return fail(std::errc::message_size, std::to_string(payload->pkthdr.len) + " bytes are too many for one packet");
  }
  std::byte* const at = m_prepend(payload, header_bytes);
  if (at == nullptr) {
    stack_.counters.drop(InetDrop::out_no_mbuf);
    return fail(std::errc::no_buffer_space, "no mbuf for the IPv4 header");
  }
  const Ip4Header header{.header_bytes = static_cast<std::uint8_t>(header_bytes),
                         .type_of_service = as.traffic_class,
                         .total_bytes = static_cast<std::uint16_t>(total_bytes),
                         .id = as.whole ? std::uint16_t{0} : next_id(path.source, dst, as.protocol),
                         .fragment = as.whole ? Ip4Header::kDontFragment : std::uint16_t{0},
                         .ttl = as.hops,
                         .protocol = as.protocol,
                         .src = path.source,
                         .dst = dst};
  header.store(at);
  if (as.router_alert) std::memcpy(at + kIp4HeaderBytes, kRouterAlert.data(), kRouterAlert.size());
  set_ip4_checksum(at, header_bytes);
  payload->pkthdr.offload = {};
  if (total_bytes > path.mtu_bytes) return send_cut(path, std::move(payload));
  return stack_.transmit(path, std::move(payload));
}

// One that is never cut needs none (RFC 6864, 4.1). Others: unforeseeable, and not repeated soon for a destination (RFC
// 6864, 4.3; RFC 7739 for the why).
std::uint16_t Ip4::next_id(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol) {
  std::array<std::byte, 9> flow;
  src.store4(flow.data());
  dst.store4(flow.data() + 4);
  flow[8] = std::byte{protocol};
  return static_cast<std::uint16_t>(stack_.hash(flow) + ++packets_);
}

}  // namespace vif::net::inet
