// SPDX-License-Identifier: BSD-2-Clause
// The other end of the stack's wire: a router that has everybody's address. Plain functions, any thread.
#pragma once

#include <optional>
#include <vector>

#include "netstack/inet/ip_address.hpp"

namespace vif::host::packetdrill {

inline constexpr net::MacAddress kOurMac{{0x02, 0x76, 0x69, 0x66, 0x70, 0x01}},
    kGatewayMac{{0x02, 0x76, 0x69, 0x66, 0x70, 0x02}};

using Frame = std::vector<std::byte>;

// A packet in a frame from the gateway to us.
Frame to_us(Bytes packet);

// The gateway's answer to an ARP request, a neighbour or a router solicitation; nullopt: `frame` is none.
std::optional<Frame> answer(Bytes frame);

// The packet in a frame of ours that packetdrill may see; empty: the frame is ARP, or keeps the link itself going
// (IGMP, MLD, neighbour discovery).
Bytes packet_in(Bytes frame);

}  // namespace vif::host::packetdrill
