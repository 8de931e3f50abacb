// SPDX-License-Identifier: BSD-2-Clause
// What routers said of the MTU on the way to a destination: RFC 1191, RFC 8201. Domain's thread.
#pragma once

#include <vector>

#include "netstack/base/ports.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net::inet {

class PathMtus {
 public:
  static constexpr std::size_t kEntriesMax = 256;              // the one heard of longest ago gives way
  static constexpr Time kLifetime = std::chrono::minutes(10);  // RFC 1191, 6.3; RFC 8201, 4

  // The least that is believed: an IPv4 host takes 576 bytes (RFC 791, 3.1), so that less than 552 only serves
  // attacks, as in Linux; IPv6 links carry 1280 (RFC 8200, 5).
  static constexpr std::uint32_t kMin4 = 552, kMin6 = 1280;

  // A packet to `destination` was too big for a link of `mtu_bytes`. Nothing is ever raised.
  void lower(const IpAddress& destination, std::uint32_t mtu_bytes, Time now);
  // `mtu_bytes`, or what is known to be less.
  std::uint32_t get(const IpAddress& destination, std::uint32_t mtu_bytes, Time now) const;

 private:
  struct Entry {
    IpAddress destination;
    std::uint32_t mtu_bytes;
    Time heard;
  };
  std::vector<Entry> entries_;  // ordered by destination
};

}  // namespace vif::net::inet
