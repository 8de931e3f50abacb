// SPDX-License-Identifier: BSD-2-Clause
// DHCP messages: what a client sends and what it reads of a server's (RFC 2131, 2; options: RFC 2132, RFC 3396, RFC
// 3442). The only place that knows their offsets. Plain values, any thread.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "netstack/inet/ip_address.hpp"

namespace vif::net::inet {

inline constexpr std::uint16_t kDhcpServerPort = 67, kDhcpClientPort = 68;  // RFC 2131, 4.1

enum class DhcpType : std::uint8_t {  // RFC 2132, 9.6
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
};

struct DhcpRequest {
  static constexpr std::size_t kBytes = 300;  // BOOTP's, which some servers and relays insist on (RFC 1542, 2.1)

  DhcpType type = DhcpType::discover;
  std::uint32_t transaction = 0;
  std::uint16_t seconds = 0;  // since the client began to ask
  bool broadcast = false;     // it cannot hear what is sent to the address it is about to get
  MacAddress client;
  IpAddress ours = kAny4;       // in use already
  IpAddress requested = kAny4;  // options, unless 0.0.0.0
  IpAddress server = kAny4;

  std::array<std::byte, kBytes> store() const;
};

// By `gateway`; 0.0.0.0: the network is on the link.
struct DhcpRoute {
  IpPrefix to;
  IpAddress gateway;

  friend bool operator==(const DhcpRoute&, const DhcpRoute&) = default;
};

struct DhcpReply {
  static constexpr std::size_t kBytesMax = 1500;                  // what requests say that we take
  static constexpr std::size_t kRoutesMax = 64, kServersMax = 8;  // more are not looked at

  DhcpType type = DhcpType::offer;
  std::uint32_t transaction = 0;
  MacAddress client;
  IpAddress address;  // the client's, with the network's prefix
  std::uint8_t prefix_bits = 0;
  IpAddress server = kAny4;                              // 0.0.0.0: it does not say
  std::uint32_t lease_s = 0, renew_s = 0, rebind_s = 0;  // 0: it does not say
  std::uint16_t mtu_bytes = 0;                           // the same
  std::vector<DhcpRoute> routes;                         // classless ones, or else one by the first router
  std::vector<IpAddress> dns;

  // Nullopt: no reply of a server to an Ethernet client, or an option in it is not as long as it has to be.
  static std::optional<DhcpReply> parse(Bytes message);
};

}  // namespace vif::net::inet
