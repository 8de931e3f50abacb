// SPDX-License-Identifier: BSD-2-Clause
// The way through an IPv6 packet's extension headers: RFC 8200, 4.
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr std::size_t kExtensionBytesMin = 8;

bool is_extension(std::uint8_t header) {
  return header == kProtocolHopByHop || header == kProtocolRouting || header == kProtocolFragment ||
         header == kProtocolDestination;
}

}  // namespace

// From header to header, up to the transport. `named_at`: where the header before names this one.
void Ip6::walk(Packet packet) {
  std::size_t named_at = Ip6Header::kNextHeaderAt;
  for (int i = 0; i < kExtensionsMax; ++i) {
    switch (step(packet, named_at)) {
      case Walk::ended:
        return;
      case Walk::reached:
        return deliver(std::move(packet), named_at);
      case Walk::on:
        break;
    }
  }
  stack_.counters.drop(InetDrop::malformed);
}

Ip6::Walk Ip6::step(Packet& packet, std::size_t& named_at) {
  InetCounters& count = stack_.counters;
  if (!is_extension(packet.protocol)) return Walk::reached;
  if (packet.protocol == kProtocolHopByHop && named_at != Ip6Header::kNextHeaderAt) return Walk::reached;
  if (packet.m->pkthdr.len < packet.payload + kExtensionBytesMin) {
    count.drop(InetDrop::malformed);
    return Walk::ended;
  }
  if (!m_pullup(packet.m, packet.payload + kExtensionBytesMin)) {
    count.drop(InetDrop::in_no_mbuf);
    return Walk::ended;
  }
  if (packet.protocol == kProtocolFragment) return step_over_fragment(packet, named_at);

  const std::byte* const at = packet.m->data() + packet.payload;
  const std::size_t bytes = (std::to_integer<std::size_t>(at[1]) + 1) * 8;
  if (packet.m->pkthdr.len < packet.payload + bytes || packet.payload + bytes > kHeadersBytesMax) {
    count.drop(InetDrop::malformed);
    return Walk::ended;
  }
  if (!m_pullup(packet.m, packet.payload + bytes)) {
    count.drop(InetDrop::in_no_mbuf);
    return Walk::ended;
  }
  const Walk walked = packet.protocol == kProtocolRouting ? step_over_routing(packet) : step_over_options(packet);
  if (walked != Walk::on) return walked;
  named_at = packet.payload;
  packet.protocol = std::to_integer<std::uint8_t>(packet.m->data()[packet.payload]);
  packet.payload += bytes;
  return Walk::on;
}

// RFC 8200, 4.2: what we do not know says itself what to do about that.
Ip6::Walk Ip6::step_over_options(Packet& packet) {
  constexpr unsigned kPad1 = 0, kPadN = 1, kAlert = 5;
  const std::byte* const header = packet.m->data() + packet.payload;
  const std::size_t end = (std::to_integer<std::size_t>(header[1]) + 1) * 8;
  for (std::size_t at = 2; at < end;) {
    const auto kind = std::to_integer<unsigned>(header[at]);
    if (kind == kPad1) {
      ++at;
      continue;
    }
    if (at + 2 > end || at + 2 + std::to_integer<std::size_t>(header[at + 1]) > end) {
      stack_.counters.drop(InetDrop::malformed);
      return Walk::ended;
    }
    const unsigned action = kind >> 6;
    if (kind != kPadN && kind != kAlert && action != 0) {
      const bool tell = action == 2 || (action == 3 && !packet.dst.is_multicast());
      const auto where = static_cast<std::uint32_t>(packet.payload + at);
      if (tell) stack_.icmp6.error(packet, Icmp6::kParameterProblem, Icmp6::kUnknownOption, where);
      stack_.counters.drop(InetDrop::ignored);
      return Walk::ended;
    }
    packet.router_alert |= kind == kAlert;
    at += 2 + std::to_integer<std::size_t>(header[at + 1]);
  }
  return Walk::on;
}

// We are no waypoint (RFC 8200, 4.4; RFC 5095).
Ip6::Walk Ip6::step_over_routing(const Packet& packet) {
  constexpr std::size_t kTypeAt = 2, kSegmentsLeftAt = 3;
  if (packet.m->data()[packet.payload + kSegmentsLeftAt] == std::byte{0}) return Walk::on;
  stack_.icmp6.error(packet, Icmp6::kParameterProblem, Icmp6::kErroneousField,
                     static_cast<std::uint32_t>(packet.payload + kTypeAt));
  stack_.counters.drop(InetDrop::ignored);
  return Walk::ended;
}

Ip6::Walk Ip6::step_over_fragment(Packet& packet, std::size_t named_at) {
  constexpr std::uint16_t kMore = 1, kOffsetMask = 0xfff8;
  const std::byte* const at = packet.m->data() + packet.payload;
  const auto next = std::to_integer<std::uint8_t>(at[0]);
  const std::uint16_t offset_and_more = load_be16(at + 2);
  const std::size_t header_at = packet.payload;
  packet.payload += kFragmentHeaderBytes;
  packet.was_cut = true;
  if ((offset_and_more & (kOffsetMask | kMore)) == 0) {  // whole in one piece: RFC 6946
    packet.protocol = next;
    return Walk::on;
  }
  const std::size_t extensions = header_at - kIp6HeaderBytes;
  const std::size_t bytes = packet.m->pkthdr.len - packet.payload;
  if ((offset_and_more & kMore) != 0 && bytes % 8 != 0) {
    constexpr std::uint32_t kPayloadLengthAt = 4;
    stack_.icmp6.error(packet, Icmp6::kParameterProblem, Icmp6::kErroneousField, kPayloadLengthAt);
  }
  std::optional<Packet> whole = stack_.reassembly.add({.id = load_be32(at + 4),
                                                       .protocol = 0,
                                                       .offset = offset_and_more & std::size_t{kOffsetMask},
                                                       .more = (offset_and_more & kMore) != 0,
                                                       .end_max = kIp6PayloadBytesMax - extensions},
                                                      std::move(packet));
  if (!whole) return Walk::ended;

  // The headers before the fragment's move up over it; the first fragment's may differ from this one's (RFC 8200, 4.5).
  packet = std::move(*whole);
  const std::size_t first_at = packet.payload - kFragmentHeaderBytes;
  if (first_at != header_at) {
    stack_.counters.drop(InetDrop::bad_fragment);
    return Walk::ended;
  }
  std::byte* const front = packet.m->data();
  packet.protocol = std::to_integer<std::uint8_t>(front[first_at]);
  std::memmove(front + kFragmentHeaderBytes, front, first_at);
  m_trim_front(packet.m, kFragmentHeaderBytes);
  packet.payload = first_at;
  std::byte* const now = packet.m->data();
  now[named_at] = std::byte{packet.protocol};
  store_be16(now + 4, static_cast<std::uint16_t>(packet.m->pkthdr.len - kIp6HeaderBytes));
  return Walk::on;
}

void Ip6::deliver(Packet packet, std::size_t named_at) {
  switch (packet.protocol) {
    case kProtocolIcmp6:
      return stack_.icmp6.input(std::move(packet));
    case kProtocolUdp:
      return stack_.udp.input(std::move(packet));
    case kProtocolNone:
      return stack_.counters.delivered.add(1);
    default:
      stack_.icmp6.error(packet, Icmp6::kParameterProblem, Icmp6::kUnknownNextHeader,
                         static_cast<std::uint32_t>(named_at));
      stack_.counters.drop(InetDrop::unknown_protocol);
  }
}

}  // namespace vif::net::inet
