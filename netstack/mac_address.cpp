// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/mac_address.hpp"

#include <algorithm>

namespace vif::net {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// The value of a hex digit, or -1.
int hex_value(char c) {
  if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  const auto at = kHexDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Result<MacAddress> MacAddress::parse(std::string_view text) {
  const auto refuse = [&] {
    return fail(std::errc::invalid_argument,
                "'" + std::string(text.substr(0, 64)) +
                    "' is not a MAC address: expected six pairs of hex digits, as in 02:00:5e:10:00:01");
  };
  constexpr std::size_t kTextBytes = kMacBytes * 3 - 1;
  if (text.size() != kTextBytes) return refuse();
  const char separator = text[2];
  if (separator != ':' && separator != '-') return refuse();
  MacAddress mac;
  for (std::size_t i = 0; i < kMacBytes; ++i) {
    const int high = hex_value(text[i * 3]);
    const int low = hex_value(text[i * 3 + 1]);
    if (high < 0 || low < 0) return refuse();
    if (i + 1 < kMacBytes && text[i * 3 + 2] != separator) return refuse();
    mac.octets[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return mac;
}

std::string MacAddress::to_string() const {
  std::string text;
  for (const std::uint8_t octet : octets) {
    if (!text.empty()) text += ':';
    text += kHexDigits[octet >> 4];
    text += kHexDigits[octet & 15];
  }
  return text;
}

std::uint64_t MacAddress::key() const {
  std::uint64_t key = 0;
  for (const std::uint8_t octet : octets) key = key << 8 | octet;
  return key;
}

MacAddress MacAddress::from_key(std::uint64_t key) {
  MacAddress mac;
  for (std::size_t i = kMacBytes; i-- > 0; key >>= 8) mac.octets[i] = static_cast<std::uint8_t>(key);
  return mac;
}

MacRange ipv4_group(std::array<std::uint8_t, 4> address) {
  if (address == std::array<std::uint8_t, 4>{}) {
    return {{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x00}}, {{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xff}}};
  }
  const auto low7 = static_cast<std::uint8_t>(address[1] & 0x7f);
  return MacRange::single({{0x01, 0x00, 0x5e, low7, address[2], address[3]}});
}

MacRange ipv6_group(const std::array<std::uint8_t, 16>& address) {
  if (address == std::array<std::uint8_t, 16>{}) {
    return {{{0x33, 0x33, 0x00, 0x00, 0x00, 0x00}}, {{0x33, 0x33, 0xff, 0xff, 0xff, 0xff}}};
  }
  return MacRange::single({{0x33, 0x33, address[12], address[13], address[14], address[15]}});
}

MacAddress random_mac(std::uint64_t chance) {
  MacAddress mac = MacAddress::from_key(chance);
  mac.octets[0] = static_cast<std::uint8_t>((mac.octets[0] & ~1U) | 2U);  // unicast, locally administered
  return mac;
}

}  // namespace vif::net
