// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/forward.hpp"

#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

// A checksum left to others covers the whole packet: it is made before that is cut.
void close_checksum(Packet& packet) {
  constexpr std::size_t kUdpChecksumAt = 6, kTcpChecksumAt = 16;
  const bool open = (packet.m->pkthdr.offload.flags & Offload::kNeedsChecksum) != 0;
  const bool udp = packet.protocol == kProtocolUdp;
  if (!open || (!udp && packet.protocol != kProtocolTcp)) return;
  const std::size_t at = packet.payload + (udp ? kUdpChecksumAt : kTcpChecksumAt);
  if (packet.m->pkthdr.len < at + 2 || !m_pullup(packet.m, at + 2)) return;
  std::byte* const field = packet.m->data() + at;
  store_be16(field, 0);
  InternetSum sum;
  sum.add_pseudo_header(packet.src.wire(), packet.dst.wire(), packet.protocol, packet.m->pkthdr.len - packet.payload);
  sum.add(*packet.m, packet.payload);
  store_be16(field, udp && sum.checksum() == 0 ? 0xffff : sum.checksum());
}

}  // namespace

void Forward::input(Packet packet) {
  InetCounters& count = stack_.counters;
  const bool v4 = packet.src.is_v4();
  if (!stack_.config.forwarding) return count.drop(InetDrop::not_ours);
  if (!may_leave_its_link(packet)) return count.drop(InetDrop::not_forwardable);
  if (packet.hops <= 1) {
    if (v4) stack_.icmp4.error(packet, Icmp4::kTimeExceeded, Icmp4::kInTransit, 0);
    else stack_.icmp6.error(packet, Icmp6::kTimeExceeded, Icmp6::kInTransit, 0);
    return count.drop(InetDrop::hops_exceeded);
  }
  const Route* const route = stack_.routes.find(packet.dst, nullptr);
  if (route == nullptr) {
    if (v4) stack_.icmp4.error(packet, Icmp4::kUnreachable, Icmp4::kNetUnreachable, 0);
    else stack_.icmp6.error(packet, Icmp6::kUnreachable, Icmp6::kNoRoute, 0);
    return count.drop(InetDrop::no_route);
  }
  if (route->is_direct() && route->out->addresses.is_broadcast(packet.dst)) {
    return count.drop(InetDrop::not_forwardable);
  }
  pass(std::move(packet), *route);
}

// RFC 1812, 5.3.4 and 5.3.7; RFC 3927, 2.7; RFC 4291, 2.5.6.
bool Forward::may_leave_its_link(const Packet& packet) const {
  const auto routable = [](const IpAddress& address) { return address.is_unicast() && !address.is_link_local(); };
  return !packet.to_group && routable(packet.src) && routable(packet.dst);
}

// A super-frame will be cut into its segments below us; it is those that have to fit. No segment is longer than the
// whole, whatever gso_size says.
bool Forward::fits(const Packet& packet, std::uint32_t mtu_bytes) const {
  if (packet.m->pkthdr.len <= mtu_bytes) return true;
  const Offload& offload = packet.m->pkthdr.offload;
  if (!offload.is_super_frame()) return false;
  constexpr std::size_t kTcpHeaderBytesMax = 60;
  const bool udp = offload.gso_type == Offload::kGsoUdpL4;
  std::size_t header_bytes = udp ? kUdpHeaderBytes : kTcpHeaderBytesMax;
  constexpr std::size_t kTcpOffsetAt = 12;
  std::array<std::byte, kTcpOffsetAt + 1> tcp;
  if (!udp && packet.m->pkthdr.len >= packet.payload + tcp.size()) {
    m_copydata(*packet.m, packet.payload, tcp);
    header_bytes = (std::to_integer<std::size_t>(tcp[kTcpOffsetAt]) >> 4) * 4;
  }
  return packet.payload + header_bytes + offload.gso_size <= mtu_bytes;
}

void Forward::pass(Packet packet, const Route& route) {
  InetCounters& count = stack_.counters;
  const bool v4 = packet.src.is_v4();
  const Path path{.out = route.out,
                  .source = packet.src,
                  .next_hop = route.is_direct() ? packet.dst : route.gateway,
                  .mtu_bytes = route.out->mtu(packet.dst)};
  std::byte* const at = packet.m->data();
  const bool whole = !v4 || (Ip4Header::load(at).fragment & Ip4Header::kDontFragment) != 0;
  const bool fits_path = fits(packet, path.mtu_bytes);
  if (!fits_path && whole) {
    if (v4) stack_.icmp4.error(packet, Icmp4::kUnreachable, Icmp4::kFragmentationNeeded, path.mtu_bytes);
    else stack_.icmp6.error(packet, Icmp6::kTooBig, 0, path.mtu_bytes);
    return count.drop(InetDrop::too_big);
  }
  count.forwarded.add(1);
  if (v4) {
    constexpr std::size_t kTtlAt = 8, kChecksumAt = 10;
    const std::uint16_t before = load_be16(at + kTtlAt);
    const auto now = static_cast<std::uint16_t>(before - 0x100);
    store_be16(at + kTtlAt, now);
    store_be16(at + kChecksumAt, checksum_after(load_be16(at + kChecksumAt), before, now));
  } else {
    constexpr std::size_t kHopsAt = 7;
    at[kHopsAt] = std::byte{static_cast<std::uint8_t>(packet.hops - 1)};
  }
  if (fits_path) return (void)stack_.transmit(path, std::move(packet.m));
  close_checksum(packet);
  (void)stack_.ip4.send_cut(path, std::move(packet.m));
}

}  // namespace vif::net::inet
