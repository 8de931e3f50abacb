// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/checksum.hpp"

namespace vif::net::inet {
namespace {

// Ones' complement: carries come back at the low end.
std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// Sums 32-bit halves into 64 bits, which overflow for none that fits memory; folding them to 16 is the same sum.
std::uint64_t sum_of(Bytes bytes) {
  constexpr std::endian kNative = std::endian::native;
  std::uint64_t low = 0, high = 0;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const auto word = load<std::uint64_t, kNative>(at);
    low += word & 0xffff'ffff;
    high += word >> 32;
  }
  for (; left >= 2; left -= 2, at += 2) low += load<std::uint16_t, kNative>(at);
  if (left == 1) {
    const std::array<std::byte, 2> last = {*at, std::byte{0}};
    low += load<std::uint16_t, kNative>(last.data());
  }
  return low + high;
}

}  // namespace

void Checksum::add(Bytes piece) {
  const std::uint16_t sum = fold(sum_of(piece));
  sum_ += odd_ ? byteswap(sum) : sum;
  odd_ ^= (piece.size() & 1) != 0;
}

void Checksum::add(const Mbuf& packet, std::size_t offset) {
  for (const Mbuf* piece = &packet; piece != nullptr; piece = piece->next()) {
    const Bytes bytes = piece->bytes();
    const std::size_t skip = std::min(offset, bytes.size());
    add(bytes.subspan(skip));
    offset -= skip;
  }
}

void Checksum::add_pseudo_header(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol, std::size_t bytes) {
  // IPv4's has a 16-bit length beside the protocol where IPv6 has 32 bits each: the sums are the same.
  const std::size_t skip = src.is_v4() ? kIp6AddressBytes - kIp4AddressBytes : 0;
  add(as_bytes(src.octets).subspan(skip));
  add(as_bytes(dst.octets).subspan(skip));
  std::array<std::byte, 8> rest;
  store_be32(rest.data(), static_cast<std::uint32_t>(bytes));
  store_be32(rest.data() + 4, protocol);
  add(rest);
}

std::uint16_t Checksum::value() const {
  const auto value = static_cast<std::uint16_t>(~fold(sum_));
  return std::endian::native == std::endian::big ? value : byteswap(value);
}

std::uint16_t checksum_after(std::uint16_t checksum, std::uint16_t before, std::uint16_t now) {
  const auto sum = std::uint64_t{static_cast<std::uint16_t>(~checksum)} + static_cast<std::uint16_t>(~before) + now;
  return static_cast<std::uint16_t>(~fold(sum));
}

}  // namespace vif::net::inet
