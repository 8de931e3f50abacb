// SPDX-License-Identifier: BSD-2-Clause
// A stack on a link with ARP: what the tests of ARP, neighbours and address claims have in common.
#pragma once

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {

inline constexpr IpAddress kThird = IpAddress::v4(192, 0, 2, 3);
inline constexpr net::MacAddress kThirdMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x03}};

class ArpLink : public InetRig {
 protected:
  Frame reply_to_us(const IpAddress& sender = kPeer, const net::MacAddress& mac = kPeerMac) {
    return arp(
        {.operation = 2, .sender_mac = mac, .sender = sender, .target = kUs, .target_mac = kOurMac, .to = kOurMac});
  }
  Frame request_of_ours(const IpAddress& target, const net::MacAddress& to = net::kBroadcast) {
    return arp({.sender_mac = kOurMac, .sender = kUs, .target = target, .to = to});
  }
  Status ping(const IpAddress& to, std::uint16_t sequence = 1) { return inet->ping({.to = to, .sequence = sequence}); }
};

}  // namespace vif::test
