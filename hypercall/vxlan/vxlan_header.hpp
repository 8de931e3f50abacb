// SPDX-License-Identifier: BSD-2-Clause
// The VXLAN header: eight bytes between UDP and an Ethernet frame (RFC 7348, 5). Pure; any thread.
#pragma once

#include <optional>

#include "netstack/base/bytes.hpp"
#include "netstack/base/drop_reason.hpp"

namespace vif::host {

inline constexpr std::size_t kVxlanHeaderBytes = 8;
inline constexpr std::uint16_t kVxlanPort = 4789;          // RFC 7348, 5; IANA
inline constexpr std::uint32_t kVniMax = (1U << 24) - 1;   // 24 bits
inline constexpr std::uint32_t kVxlanFlagI = 0x0800'0000;  // the VNI is valid; the other bits are reserved

inline void store_vxlan_header(std::byte* to, std::uint32_t vni) {
  store_be32(to, kVxlanFlagI);
  store_be32(to + 4, vni << 8);
}

// Why a datagram is no frame of network `vni`, or nullopt. Reserved bits are ignored, as RFC 7348 wants.
inline std::optional<DropReason> refuse_datagram(Bytes datagram, std::uint32_t vni) {
  if (datagram.size() < kVxlanHeaderBytes) return DropReason::rx_malformed;
  if ((load_be32(datagram.data()) & kVxlanFlagI) == 0) return DropReason::rx_malformed;
  if (load_be32(datagram.data() + 4) >> 8 != vni) return DropReason::other_network;
  return std::nullopt;
}

}  // namespace vif::host
