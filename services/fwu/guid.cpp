// SPDX-License-Identifier: BSD-2-Clause
#include "services/fwu/guid.hpp"

#include <algorithm>
#include <cstring>

namespace vif::fwu {
namespace {

constexpr std::size_t kTextBytes = 36;
// Where on disk each byte of the text goes, two digits a byte.
constexpr std::array<std::uint8_t, Guid::kBytes> kPlace = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

bool dash_at(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Guid> parse_guid(std::string_view text) {
  if (text.size() != kTextBytes) return std::nullopt;
  Guid guid;
  std::size_t nibbles = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (dash_at(at) != (text[at] == '-')) return std::nullopt;
    if (text[at] == '-') continue;
    const int value = digit(text[at]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = guid.on_disk[kPlace[nibbles++ / 2]];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
  }
  return guid;
}

std::string to_string(const Guid& guid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t place : kPlace) {
    if (dash_at(text.size())) text += '-';
    text += kDigits[guid.on_disk[place] >> 4];
    text += kDigits[guid.on_disk[place] & 0xf];
  }
  return text;
}

Guid load_guid(const std::byte* from) {
  Guid guid;
  std::memcpy(guid.on_disk.data(), from, Guid::kBytes);
  return guid;
}

void store_guid(std::byte* to, const Guid& guid) { std::memcpy(to, guid.on_disk.data(), Guid::kBytes); }

Guid swapped(const Guid& guid) {
  Guid other = guid;
  std::reverse(other.on_disk.begin(), other.on_disk.begin() + 4);
  std::swap(other.on_disk[4], other.on_disk[5]);
  std::swap(other.on_disk[6], other.on_disk[7]);
  return other;
}

bool looks_right(const Guid& guid) {
  const int version = guid.on_disk[7] >> 4;
  return version >= 1 && version <= 8 && (guid.on_disk[8] & 0xc0) == 0x80;
}

}  // namespace vif::fwu
