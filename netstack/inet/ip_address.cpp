// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/ip_address.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

namespace vif::net::inet {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;
constexpr std::size_t kGroups = 8;  // of 16 bits, in the text of an IPv6 address

// All of `text` as a number, up to `max`; no sign, no blanks, at most `digits_max` digits.
std::optional<unsigned> number(std::string_view text, int base, unsigned max, std::size_t digits_max) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end || text.size() > digits_max || value > max) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse4(std::string_view text) {
  std::uint32_t address = 0;
  for (int octet = 0; octet < 4; ++octet) {
    const std::size_t dot = octet < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(0, dot);
    const auto value = number(digits, 10, 255, 3);
    if (!value || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;  // 010: octal to some, not to others
    address = address << 8 | *value;
    text.remove_prefix(octet < 3 ? dot + 1 : dot);
  }
  return address;
}

// Groups as far as they go, up to `max`; the last may be an IPv4 address. Empty text: no groups.
struct Groups {
  std::array<std::uint16_t, kGroups> values{};
  std::size_t count = 0;

  bool parse(std::string_view text, std::size_t max) {
    while (!text.empty()) {
      const std::size_t colon = text.find(':');
      const std::string_view part = text.substr(0, colon);
      if (part.find('.') != std::string_view::npos) {
        const auto v4 = parse4(part);
        if (!v4 || colon != std::string_view::npos || count + 2 > max) return false;
        values[count++] = static_cast<std::uint16_t>(*v4 >> 16);
        values[count++] = static_cast<std::uint16_t>(*v4);
        return true;
      }
      const auto value = number(part, 16, 0xffff, 4);
      if (!value || count == max) return false;
      values[count++] = static_cast<std::uint16_t>(*value);
      if (colon == std::string_view::npos) return true;
      text.remove_prefix(colon + 1);
      if (text.empty()) return false;  // a colon at the end
    }
    return true;
  }
};

std::optional<IpAddress> parse6(std::string_view text) {
  const std::size_t gap = text.find("::");
  Groups front, back;
  if (gap == std::string_view::npos) {
    if (!front.parse(text, kGroups) || front.count != kGroups) return std::nullopt;
  } else {
    const std::string_view head = text.substr(0, gap);
    // An IPv4 address can only be at the end.
    if (!front.parse(head, kGroups - 1) || head.find('.') != std::string_view::npos) return std::nullopt;
    if (!back.parse(text.substr(gap + 2), kGroups - 1 - front.count)) return std::nullopt;
  }
  IpAddress address;
  const auto put = [&](std::size_t group, std::uint16_t value) {
    address.octets[group * 2] = static_cast<std::uint8_t>(value >> 8);
    address.octets[group * 2 + 1] = static_cast<std::uint8_t>(value);
  };
  for (std::size_t i = 0; i < front.count; ++i) put(i, front.values[i]);
  for (std::size_t i = 0; i < back.count; ++i) put(kGroups - back.count + i, back.values[i]);
  return address;
}

std::string text4(const std::uint8_t* octets) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(octets[i]);
  return text;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto v4_found = parse4(text)) return v4(*v4_found);
  if (const auto v6_found = parse6(text)) return *v6_found;
  return fail(std::errc::invalid_argument, "'" + std::string(text.substr(0, 64)) +
                                               "' is not an IP address: expected one as in 192.0.2.1 or 2001:db8::1");
}

std::string IpAddress::to_string() const {
  if (is_v4()) return text4(&octets[12]);
  const auto group = [&](std::size_t i) { return octets[i * 2] << 8 | octets[i * 2 + 1]; };
  // The longest run of two or more zero groups, the first of equals (RFC 5952, 4.2).
  std::size_t gap = kGroups, gap_groups = 1;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && group(end) == 0) ++end;
    if (end - i > gap_groups) gap = i, gap_groups = end - i;
    i = std::max(end, i + 1);
  }
  std::string text;
  for (std::size_t i = 0; i < kGroups;) {
    if (i == gap) {
      text += "::";
      i += gap_groups;
      continue;
    }
    if (i > 0 && text.back() != ':') text += ':';
    std::array<char, 4> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), group(i++), 16).ptr;
    text.append(digits.data(), end);
  }
  return text;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), octets.begin()); }
std::uint32_t IpAddress::v4_number() const { return load_be32(as_bytes(octets).data() + 12); }
bool IpAddress::is_unspecified() const { return *this == kAny4 || *this == kAny6; }
bool IpAddress::is_multicast() const { return is_v4() ? (octets[12] & 0xf0) == 0xe0 : octets[0] == 0xff; }
bool IpAddress::is_limited_broadcast() const { return *this == kLimitedBroadcast; }

bool IpAddress::is_loopback() const {
  static constexpr IpAddress kLoopback6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return is_v4() ? octets[12] == 127 : *this == kLoopback6;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return octets[12] == 169 && octets[13] == 254;
  return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

bool IpAddress::is_unicast() const {
  if (is_unspecified() || is_multicast()) return false;
  return !is_v4() || (octets[12] != 0 && octets[12] < 240);
}

unsigned IpAddress::scope() const {
  constexpr unsigned kLinkScope = 2, kGlobalScope = 14;
  if (!is_v4() && is_multicast()) return octets[1] & 0x0f;
  return is_link_local() || is_loopback() ? kLinkScope : kGlobalScope;
}

MacAddress group_mac(const IpAddress& group) {
  if (group.is_limited_broadcast()) return kBroadcast;
  if (!group.is_v4()) return ipv6_group(group.octets).lo;
  return ipv4_group({group.octets[12], group.octets[13], group.octets[14], group.octets[15]}).lo;
}

IpAddress solicited_node(const IpAddress& address) {
  IpAddress group = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
  std::copy(address.octets.end() - 3, address.octets.end(), group.octets.end() - 3);
  return group;
}

IpAddress with_eui64(const IpAddress& prefix, const MacAddress& mac) {
  IpAddress address = prefix;
  const auto& m = mac.octets;
  const std::array<std::uint8_t, 8> identifier = {
      static_cast<std::uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  std::copy(identifier.begin(), identifier.end(), address.octets.begin() + 8);
  return address;
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  Result<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::move(address).error();
  const unsigned bits_max = address->bits();
  if (slash == std::string_view::npos) return IpPrefix{*address, static_cast<std::uint8_t>(bits_max)};
  const auto bits = number(text.substr(slash + 1), 10, bits_max, 3);
  if (!bits) {
    return fail(std::errc::invalid_argument, "'" + std::string(text.substr(0, 64)) +
                                                 "' is not a prefix: expected a length of 0 to " +
                                                 std::to_string(bits_max) + " behind the slash");
  }
  return IpPrefix{*address, static_cast<std::uint8_t>(*bits)};
}

std::string IpPrefix::to_string() const { return address.to_string() + "/" + std::to_string(bits); }

bool IpPrefix::contains(const IpAddress& other) const {
  return address.is_v4() == other.is_v4() && common_bits(address, other) >= bits;
}

IpPrefix IpPrefix::network() const {
  IpPrefix net = *this;
  for (unsigned bit = bits + (address.is_v4() ? kMappedBits : 0); bit < 128; ++bit) {
    net.address.octets[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  return net;
}

IpAddress IpPrefix::broadcast() const {
  if (!address.is_v4() || bits > 30) return kAny6;
  return IpAddress::v4(address.v4_number() | (0xffff'ffffU >> bits));
}

unsigned common_bits(const IpAddress& one, const IpAddress& other) {
  unsigned bits = 0;
  for (std::size_t i = 0; i < kIp6AddressBytes; ++i, bits += 8) {
    const auto differ = static_cast<std::uint8_t>(one.octets[i] ^ other.octets[i]);
    if (differ != 0) {
      bits += static_cast<unsigned>(std::countl_zero(differ));
      break;
    }
  }
  return one.is_v4() && other.is_v4() ? bits - kMappedBits : bits;
}

}  // namespace vif::net::inet
