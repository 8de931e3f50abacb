// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/neighbour_fields.hpp"

#include "netstack/inet/ip_address.hpp"

namespace vif::net {
namespace {

// RFC 4861, 4.1 to 4.5.
constexpr std::uint8_t kRouterSolicitation = 133, kRouterAdvertisement = 134, kNeighbourSolicitation = 135,
                       kNeighbourAdvertisement = 136, kRedirect = 137;
constexpr std::size_t kRouterSolicitationBytes = 8, kRouterAdvertisementBytes = 16, kTargetAt = 8, kNeighbourBytes = 24,
                      kRedirectBytes = 40;
// 4.6: in units of 8 bytes.
constexpr std::uint8_t kSourceMac = 1, kTargetMac = 2, kPrefix = 3;
constexpr std::size_t kUnitBytes = 8, kMacAt = 2, kPrefixUnits = 4, kPrefixAt = 16;

std::uint8_t octet(std::byte value) { return std::to_integer<std::uint8_t>(value); }

// Of what stands in front of the options; 0: no message of Neighbor Discovery.
std::size_t fixed_bytes(std::uint8_t type) {
  switch (type) {
    case kRouterSolicitation:
      return kRouterSolicitationBytes;
    case kRouterAdvertisement:
      return kRouterAdvertisementBytes;
    case kNeighbourSolicitation:
    case kNeighbourAdvertisement:
      return kNeighbourBytes;
    case kRedirect:
      return kRedirectBytes;
    default:
      return 0;
  }
}

}  // namespace

NeighbourFields NeighbourFields::of(Bytes frame, const FrameLayers& layers) {
  NeighbourFields found;
  if (layers.transport != FrameLayers::Transport::icmp6) return found;
  const std::uint8_t type = octet(frame[layers.transport_at]);
  const std::size_t fixed = fixed_bytes(type);
  if (fixed == 0 || layers.end < layers.transport_at + fixed) return found;
  std::size_t at = layers.transport_at + fixed;
  const bool has_target = type >= kNeighbourSolicitation;
  for (std::size_t address = layers.transport_at + kTargetAt; has_target && address < at;
       address += inet::kIp6AddressBytes) {
    found.addresses.push_back(address);
  }
  found.asks = type == kNeighbourSolicitation;
  while (at + kUnitBytes <= layers.end) {
    const std::uint8_t kind = octet(frame[at]);
    const std::size_t units = octet(frame[at + 1]);
    if (units == 0 || layers.end < at + units * kUnitBytes) break;
    if (kind == kSourceMac || kind == kTargetMac) found.macs.push_back(at + kMacAt);
    if (kind == kPrefix && units == kPrefixUnits) found.addresses.push_back(at + kPrefixAt);
    at += units * kUnitBytes;
  }
  return found;
}

}  // namespace vif::net
