// SPDX-License-Identifier: BSD-2-Clause
// An IPv4 or IPv6 address and a prefix of either. Plain values, any thread.
//
// One type for both, so that routes, neighbours, sockets and reassembly exist once: an IPv4 address is kept as
// ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). Packets never carry it in that form: IPv6 input refuses it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "netstack/mac_address.hpp"

namespace vif::net::inet {

inline constexpr std::size_t kIp4AddressBytes = 4;
inline constexpr std::size_t kIp6AddressBytes = 16;

struct VIF_API IpAddress {
  std::array<std::uint8_t, kIp6AddressBytes> octets{};  // in wire order; ::, when nothing else is said

  static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  static constexpr IpAddress v4(std::uint32_t number) {  // first octet highest
    return v4(static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
              static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
  }
  // The address at `from`, which has 4 or 16 bytes.
  static IpAddress load4(const std::byte* from) { return v4(load_be32(from)); }
  static IpAddress load6(const std::byte* from) {
    IpAddress address;
    std::memcpy(address.octets.data(), from, kIp6AddressBytes);
    return address;
  }
  Bytes wire() const { return as_bytes(octets).subspan(is_v4() ? kIp6AddressBytes - kIp4AddressBytes : 0); }
  void store4(std::byte* to) const { std::memcpy(to, &octets[12], kIp4AddressBytes); }
  void store6(std::byte* to) const { std::memcpy(to, octets.data(), kIp6AddressBytes); }

  // "192.0.2.1", or any form of RFC 4291, 2.2. EINVAL says what was expected. to_string writes RFC 5952.
  static Result<IpAddress> parse(std::string_view text);
  std::string to_string() const;

  bool is_v4() const;
  std::uint32_t v4_number() const;  // of an IPv4 address; first octet highest
  unsigned bits() const { return is_v4() ? 32 : 128; }

  bool is_unspecified() const;  // 0.0.0.0 or ::
  bool is_multicast() const;    // 224.0.0.0/4 or ff00::/8
  bool is_loopback() const;     // 127.0.0.0/8 or ::1
  bool is_link_local() const;   // 169.254.0.0/16 (RFC 3927) or fe80::/10
  bool is_limited_broadcast() const;
  // Whether it could be one host's: none of the above but loopback and link-local, and not 240.0.0.0/4.
  bool is_unicast() const;
  // For IPv6 multicast: the scope (RFC 7346, 2); IPv6 unicast counts as 2 (link) or 14 (global).
  unsigned scope() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

inline constexpr IpAddress kAny4 = IpAddress::v4(0, 0, 0, 0);
inline constexpr IpAddress kAny6 = {};
inline constexpr IpAddress kLimitedBroadcast = IpAddress::v4(255, 255, 255, 255);
inline constexpr IpAddress kAllSystems4 = IpAddress::v4(224, 0, 0, 1);                            // RFC 1112, 4
inline constexpr IpAddress kAllNodes6 = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};    // RFC 4291, 2.7.1
inline constexpr IpAddress kAllRouters6 = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};  // the same
inline constexpr IpAddress kLinkLocalPrefix6 = {
    {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};  // RFC 4291, 2.5.6

// The address's unspecified one: 0.0.0.0 or ::.
inline IpAddress any_of(const IpAddress& address) { return address.is_v4() ? kAny4 : kAny6; }

// The Ethernet group of a multicast or limited broadcast address.
VIF_API MacAddress group_mac(const IpAddress& group);

// ff02::1:ff and the low 24 bits (RFC 4291, 2.7.1).
VIF_API IpAddress solicited_node(const IpAddress& address);

// The modified EUI-64 interface identifier behind a /64 prefix (RFC 4291, 2.5.1; RFC 2464, 4).
VIF_API IpAddress with_eui64(const IpAddress& prefix, const MacAddress& mac);

// An address and how many of its bits name the network: 0..32 or 0..128.
struct VIF_API IpPrefix {
  IpAddress address;
  std::uint8_t bits = 0;

  // "192.0.2.1/24"; without a slash, the one address. Bits behind the prefix are kept. EINVAL says what was expected.
  static Result<IpPrefix> parse(std::string_view text);
  std::string to_string() const;

  bool contains(const IpAddress& other) const;  // false for one of the other family
  IpPrefix network() const;                     // bits behind the prefix cleared
  // The directed broadcast address (RFC 919, 7); of a /31, a /32 (RFC 3021) or an IPv6 prefix: ::, which nobody has.
  IpAddress broadcast() const;

  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// How many leading bits two addresses of one family have in common.
VIF_API unsigned common_bits(const IpAddress& one, const IpAddress& other);

}  // namespace vif::net::inet
