// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_rewriter.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/replay/frame_layers.hpp"
#include "netstack/replay/neighbour_fields.hpp"
#include "netstack/replay/summed_frame.hpp"

namespace vif::net {
namespace {

constexpr std::size_t kTagAt = 2 * kMacBytes;
constexpr std::uint16_t kVlanIdBits = 0x0fff;
// RFC 826.
constexpr std::size_t kArpMacs[] = {8, 18}, kArpAddresses[] = {14, 24};
constexpr std::size_t kIpv4Addresses[] = {12, 16};                 // RFC 791, 3.1
constexpr std::size_t kIpv6SourceAt = 8, kIpv6DestinationAt = 24;  // RFC 8200, 3

// Whoever is asked for by another address is asked at that one's group (RFC 4861, 7.2.2), and at its Ethernet group.
void move_group(SummedFrame& summed, MutBytes frame, const inet::IpAddress& asked_before,
                const inet::IpAddress& asked) {
  const inet::IpAddress before = inet::solicited_node(asked_before), now = inet::solicited_node(asked);
  const std::size_t at = summed.layers().network_at + kIpv6DestinationAt;
  if (inet::IpAddress::load6(frame.data() + at) == before) summed.put(at, now.wire());
  if (MacAddress::load(frame.data()) == inet::group_mac(before)) inet::group_mac(now).store(frame.data());
}

// `address` with the network bits of `prefix`.
inet::IpAddress moved(inet::IpAddress address, const inet::IpPrefix& prefix) {
  const std::size_t first = prefix.address.is_v4() ? 8 * (inet::kIp6AddressBytes - inet::kIp4AddressBytes) : 0;
  for (std::size_t bit = first; bit < first + prefix.bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
    std::uint8_t& octet = address.octets[bit / 8];
    octet = static_cast<std::uint8_t>((octet & ~mask) | (prefix.address.octets[bit / 8] & mask));
  }
  return address;
}

}  // namespace

Bytes FrameRewriter::rewrite(Bytes frame, Scratch& scratch) const {
  if (rules_.empty()) return frame;
  const MutBytes room = scratch.take(frame.size() + tags_pushed_ * kVlanTagBytes);
  MutBytes changed = room.first(frame.size());
  std::copy(frame.begin(), frame.end(), changed.begin());
  for (const Rule& rule : rules_) changed = std::visit([&](const auto& what) { return apply(what, changed); }, rule);
  return changed;
}

MutBytes FrameRewriter::apply(const SetMac& rule, MutBytes frame) {
  if (frame.size() >= kEtherHeaderBytes) rule.to.store(frame.data() + rule.at);
  return frame;
}

MutBytes FrameRewriter::apply(const MapMac& rule, MutBytes frame) {
  if (frame.size() < kEtherHeaderBytes) return frame;
  SummedFrame summed(frame);
  const FrameLayers& layers = summed.layers();
  const auto map = [&](std::size_t at) {
    if (MacAddress::load(frame.data() + at) == rule.from) summed.put(at, as_bytes(rule.to.octets));
  };
  map(0);
  map(kMacBytes);
  for (const std::size_t at : NeighbourFields::of(frame, layers).macs) map(at);
  if (layers.network != FrameLayers::Network::arp) return frame;
  for (const std::size_t at : kArpMacs) map(layers.network_at + at);
  return frame;
}

// rewrite() has made room behind the frame.
MutBytes FrameRewriter::apply(const PushTag& rule, MutBytes frame) {
  if (frame.size() < kEtherHeaderBytes) return frame;
  const MutBytes longer(frame.data(), frame.size() + kVlanTagBytes);
  std::copy_backward(frame.begin() + kTagAt, frame.end(), longer.end());
  store_be16(longer.data() + kTagAt, kEtherTypeVlan);
  store_be16(longer.data() + kTagAt + 2, rule.id);
  return longer;
}

MutBytes FrameRewriter::apply(const PopTag&, MutBytes frame) {
  if (FrameLayers::of(frame).tags == 0) return frame;
  std::copy(frame.begin() + kTagAt + kVlanTagBytes, frame.end(), frame.begin() + kTagAt);
  return frame.first(frame.size() - kVlanTagBytes);
}

MutBytes FrameRewriter::apply(const SetTag& rule, MutBytes frame) {
  if (FrameLayers::of(frame).tags == 0) return frame;
  std::byte* const tci = frame.data() + kTagAt + 2;
  store_be16(tci, static_cast<std::uint16_t>((load_be16(tci) & ~kVlanIdBits) | rule.id));
  return frame;
}

MutBytes FrameRewriter::apply(const MapAddress& rule, MutBytes frame) {
  SummedFrame summed(frame);
  const FrameLayers& layers = summed.layers();
  const bool is_v4 = rule.from.address.is_v4();
  const auto address_at = [&](std::size_t at) {
    return is_v4 ? inet::IpAddress::load4(frame.data() + at) : inet::IpAddress::load6(frame.data() + at);
  };
  const auto map = [&](std::size_t at) {
    const inet::IpAddress address = address_at(at);
    if (rule.from.contains(address)) summed.put(at, moved(address, rule.to).wire());
  };
  if (is_v4 && layers.network == FrameLayers::Network::ipv4) {
    for (const std::size_t at : kIpv4Addresses) map(layers.network_at + at);
  } else if (is_v4 && layers.network == FrameLayers::Network::arp) {
    for (const std::size_t at : kArpAddresses) map(layers.network_at + at);
  } else if (!is_v4 && layers.network == FrameLayers::Network::ipv6) {
    map(layers.network_at + kIpv6SourceAt);
    map(layers.network_at + kIpv6DestinationAt);
    for (std::size_t i = 0; i < layers.segments; ++i) map(layers.segments_at + i * inet::kIp6AddressBytes);
    const NeighbourFields neighbours = NeighbourFields::of(frame, layers);
    const inet::IpAddress asked = neighbours.asks ? address_at(neighbours.addresses[0]) : inet::kAny6;
    for (const std::size_t at : neighbours.addresses) map(at);
    if (neighbours.asks) move_group(summed, frame, asked, address_at(neighbours.addresses[0]));
  }
  return frame;
}

MutBytes FrameRewriter::apply(const MapPort& rule, MutBytes frame) {
  SummedFrame summed(frame);
  const FrameLayers& layers = summed.layers();
  const bool has_ports =
      layers.transport == FrameLayers::Transport::tcp || layers.transport == FrameLayers::Transport::udp;
  if (!has_ports) return frame;
  for (const std::size_t at : {layers.transport_at, layers.transport_at + 2}) {
    if (load_be16(frame.data() + at) == rule.from) summed.put16(at, rule.to);
  }
  return frame;
}

MutBytes FrameRewriter::apply(const SetTtl& rule, MutBytes frame) {
  SummedFrame summed(frame);
  const FrameLayers& layers = summed.layers();
  if (layers.network == FrameLayers::Network::ipv6) frame[layers.network_at + 7] = std::byte{rule.to};
  if (layers.network != FrameLayers::Network::ipv4) return frame;
  const std::size_t at = layers.network_at + 8;  // beside the protocol
  summed.put16(at, static_cast<std::uint16_t>(rule.to << 8 | layers.protocol));
  return frame;
}

}  // namespace vif::net
