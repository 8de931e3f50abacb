// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/checksum.hpp"

namespace vif::net {
namespace {

// One's complement: carries come back at the low end.
constexpr std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

constexpr std::uint16_t in_network_order(std::uint16_t value) {
  return std::endian::native == std::endian::big ? value : byteswap(value);
}

// Of the words of one piece, folded. Halves of 64-bit words do not overflow for any piece that fits memory, so that no
// carry has to be waited for; folded to 16 bits it is the same sum.
std::uint16_t sum_of(Bytes bytes) {
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
  return fold(low + high);
}

}  // namespace

void InternetSum::add(Bytes bytes) {
  const std::uint16_t sum = sum_of(bytes);
  sum_ += odd_ ? byteswap(sum) : sum;
  odd_ ^= (bytes.size() & 1) != 0;
}

MbufCursor InternetSum::add(MbufCursor from, std::size_t bytes) {
  while (bytes > 0) {
    const Bytes piece = from.take(bytes);
    add(piece);
    bytes -= piece.size();
  }
  return from;
}

void InternetSum::add(const Mbuf& packet, std::size_t offset) {
  for (const Mbuf* piece = &packet; piece != nullptr; piece = piece->next()) {
    const Bytes bytes = piece->bytes();
    const std::size_t skip = std::min(offset, bytes.size());
    add(bytes.subspan(skip));
    offset -= skip;
  }
}

void InternetSum::add16(std::uint16_t value) {
  assert(!odd_);
  sum_ += in_network_order(value);
}

void InternetSum::add32(std::uint32_t value) {
  add16(static_cast<std::uint16_t>(value >> 16));
  add16(static_cast<std::uint16_t>(value & 0xffff));
}

// IPv4's has a 16-bit length beside the protocol where IPv6 has 32 bits each: the sums are the same.
void InternetSum::add_pseudo_header(Bytes src, Bytes dst, std::uint8_t protocol, std::size_t bytes) {
  add(src);
  add(dst);
  add32(static_cast<std::uint32_t>(bytes));
  add16(protocol);
}

std::uint16_t InternetSum::folded() const { return in_network_order(fold(sum_)); }

std::uint16_t checksum_after(std::uint16_t checksum, std::uint16_t before, std::uint16_t now) {
  const auto sum = std::uint64_t{static_cast<std::uint16_t>(~checksum)} + static_cast<std::uint16_t>(~before) + now;
  return static_cast<std::uint16_t>(~fold(sum));
}

bool complete_checksum(Mbuf& packet) {
  const Offload& offload = packet.pkthdr.offload;
  if (!offload.is_pending()) return true;
  const std::size_t start = offload.csum_start, at = start + offload.csum_offset;
  if (offload.is_super_frame() || at + 2 > packet.pkthdr.len) return false;
  InternetSum sum;
  sum.add(MbufCursor(packet, start), packet.pkthdr.len - start);
  // In UDP 0 means that there is none (RFC 768); elsewhere both zeros are the same.
  const std::uint16_t checksum = sum.checksum();
  std::byte bytes[2];
  store_be16(bytes, checksum == 0 ? 0xffff : checksum);
  m_copyback(packet, at, bytes);
  packet.pkthdr.offload = {};
  return true;
}

}  // namespace vif::net
