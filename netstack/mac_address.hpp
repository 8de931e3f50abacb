// SPDX-License-Identifier: BSD-2-Clause
// A 48-bit Ethernet address and an inclusive range of them. Plain values, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::net {

inline constexpr std::size_t kMacBytes = 6;

struct VIF_API MacAddress {
  std::array<std::uint8_t, kMacBytes> octets{};  // in wire order

  // The address at `from`, which has six bytes.
  static MacAddress load(const std::byte* from) {
    MacAddress mac;
    std::memcpy(mac.octets.data(), from, kMacBytes);
    return mac;
  }
  void store(std::byte* to) const { std::memcpy(to, octets.data(), kMacBytes); }

  // "02:00:5e:10:00:01", also with '-'. EINVAL says what was expected.
  static Result<MacAddress> parse(std::string_view text);
  std::string to_string() const;

  // The six octets as a number, first octet highest: equal keys are equal addresses, and keys order like addresses.
  std::uint64_t key() const;
  static MacAddress from_key(std::uint64_t key);

  // The group bit: multicast and broadcast (IEEE 802-2014, 8.2.2).
  bool is_group() const { return octets[0] & 1; }

  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// lo..hi inclusive; a single address has lo == hi.
struct MacRange {
  MacAddress lo, hi;

  static MacRange single(MacAddress mac) { return {mac, mac}; }
  bool is_single() const { return lo == hi; }
  friend auto operator<=>(const MacRange&, const MacRange&) = default;
};

// The Ethernet group of an IPv4 or IPv6 multicast address (RFC 1112, 6.4: 01:00:5e and the low 23 bits; RFC 2464, 7:
// 33:33 and the low 32 bits). The address in network byte order; zero stands for "any", the family's whole range.
VIF_API MacRange ipv4_group(std::array<std::uint8_t, 4> address);
VIF_API MacRange ipv6_group(const std::array<std::uint8_t, 16>& address);

// A random, locally administered unicast address: 46 of its bits come from `chance`.
VIF_API MacAddress random_mac(std::uint64_t chance);

}  // namespace vif::net
