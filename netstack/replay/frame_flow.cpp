// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_flow.hpp"

#include <utility>

#include "netstack/base/splitmix.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
namespace {

using Network = FrameLayers::Network;
using Transport = FrameLayers::Transport;

constexpr std::size_t kArpSenderAt = 14, kArpTargetAt = 24;    // RFC 826, for Ethernet and IPv4
constexpr std::size_t kIpv4SourceAt = 12, kIpv4TargetAt = 16;  // RFC 791, 3.1
constexpr std::size_t kIpv6SourceAt = 8, kIpv6TargetAt = 24;   // RFC 8200, 3

std::uint64_t hash_of(const FrameFlow::End& end) {
  std::uint64_t low = 0, high = 0;
  std::memcpy(&high, end.address.octets.data(), sizeof high);
  std::memcpy(&low, end.address.octets.data() + sizeof high, sizeof low);
  return splitmix64(splitmix64(high ^ end.mac.key(), end.port), low);
}

}  // namespace

FrameFlow FrameFlow::of(Bytes frame, const FrameLayers& layers) {
  FrameFlow flow = without_ports(frame, layers);
  if (!layers.is_fragment) flow.read_ports(frame, layers);
  return flow;
}

FrameFlow FrameFlow::with_ports_of_first_fragments(Bytes frame) {
  const FrameLayers layers = FrameLayers::of(frame);
  FrameFlow flow = without_ports(frame, layers);
  flow.read_ports(frame, layers);
  return flow;
}

FrameFlow FrameFlow::without_ports(Bytes frame, const FrameLayers& layers) {
  FrameFlow flow;
  flow.network = layers.network;
  const std::byte* const packet = frame.data() + layers.network_at;
  switch (layers.network) {
    case Network::none:
      if (frame.size() < kEtherHeaderBytes) break;
      flow.destination.mac = MacAddress::load(frame.data());
      flow.source.mac = MacAddress::load(frame.data() + kMacBytes);
      break;
    case Network::arp:
      flow.source.address = inet::IpAddress::load4(packet + kArpSenderAt);
      flow.destination.address = inet::IpAddress::load4(packet + kArpTargetAt);
      break;
    case Network::ipv4:
      flow.source.address = inet::IpAddress::load4(packet + kIpv4SourceAt);
      flow.destination.address = inet::IpAddress::load4(packet + kIpv4TargetAt);
      break;
    case Network::ipv6:
      flow.source.address = inet::IpAddress::load6(packet + kIpv6SourceAt);
      flow.destination.address = inet::IpAddress::load6(packet + kIpv6TargetAt);
      break;
  }
  flow.protocol = layers.protocol;
  return flow;
}

void FrameFlow::read_ports(Bytes frame, const FrameLayers& layers) {
  has_ports = layers.transport == Transport::tcp || layers.transport == Transport::udp;
  if (!has_ports) return;
  source.port = load_be16(frame.data() + layers.transport_at);
  destination.port = load_be16(frame.data() + layers.transport_at + 2);
}

FrameFlow FrameFlow::either_way() const {
  FrameFlow flow = *this;
  if (flow.destination < flow.source) std::swap(flow.source, flow.destination);
  return flow;
}

std::string FrameFlow::end_text(const End& end) const {
  if (network == Network::none) return end.mac.to_string();
  const std::string address = end.address.to_string();
  if (!has_ports) return address;
  return (network == Network::ipv6 ? "[" + address + "]:" : address + ":") + std::to_string(end.port);
}

std::string FrameFlow::protocol_text() const {
  if (network == Network::none) return "Ethernet";
  if (network == Network::arp) return "ARP";
  switch (protocol) {
    case inet::kProtocolTcp:
      return "TCP";
    case inet::kProtocolUdp:
      return "UDP";
    case inet::kProtocolIcmp4:
      return "ICMP";
    case inet::kProtocolIcmp6:
      return "ICMPv6";
    default:
      return "IP protocol " + std::to_string(protocol);
  }
}

std::size_t FrameFlowHash::operator()(const FrameFlow& flow) const {
  return splitmix64(hash_of(flow.source), flow.protocol) ^ splitmix64(hash_of(flow.destination), 1);
}

}  // namespace vif::net
