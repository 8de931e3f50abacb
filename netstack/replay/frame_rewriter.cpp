// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_rewriter.hpp"

#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/replay/frame_layers.hpp"
#include "netstack/replay/summed_frame.hpp"

namespace vif::net {
namespace {

constexpr std::size_t kTagAt = 2 * kMacBytes;
constexpr std::uint16_t kVlanIdBits = 0x0fff;
// RFC 826.
constexpr std::size_t kArpMacs[] = {8, 18}, kArpAddresses[] = {14, 24};

void replace_mac(MutBytes frame, std::size_t at, const MacAddress& from, const MacAddress& to) {
  if (frame.size() >= at + kMacBytes && MacAddress::load(frame.data() + at) == from) to.store(frame.data() + at);
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
  for (const std::size_t at : {std::size_t{0}, kMacBytes}) replace_mac(frame, at, rule.from, rule.to);
  const FrameLayers layers = FrameLayers::of(frame);
  if (layers.network != FrameLayers::Network::arp) return frame;
  for (const std::size_t at : kArpMacs) replace_mac(frame, layers.network_at + at, rule.from, rule.to);
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
  const auto map = [&](std::size_t at) {
    const std::byte* const old = frame.data() + layers.network_at + at;
    const inet::IpAddress address = is_v4 ? inet::IpAddress::load4(old) : inet::IpAddress::load6(old);
    if (rule.from.contains(address)) summed.put(layers.network_at + at, moved(address, rule.to).wire());
  };
  if (is_v4 && layers.network == FrameLayers::Network::ipv4) {
    map(12);
    map(16);
  } else if (!is_v4 && layers.network == FrameLayers::Network::ipv6) {
    map(8);
    map(24);
  } else if (is_v4 && layers.network == FrameLayers::Network::arp) {
    for (const std::size_t at : kArpAddresses) map(at);
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
