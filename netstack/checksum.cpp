// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/checksum.hpp"

namespace vif::net {
namespace {

constexpr std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

constexpr std::uint16_t in_network_order(std::uint16_t value) {
  return std::endian::native == std::endian::big ? value : byteswap(value);
}

std::uint64_t add_carrying(std::uint64_t sum, std::uint64_t word) {
  sum += word;
  return sum + (sum < word);
}

// Of the words of one piece, folded. Four sums at a time: one alone would wait for its carries.
std::uint16_t sum_of(Bytes bytes) {
  constexpr std::size_t kWord = sizeof(std::uint64_t), kLanes = 4;
  const auto word = [](const std::byte* at) { return load<std::uint64_t, std::endian::native>(at); };
  std::uint64_t lanes[kLanes] = {};
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kLanes * kWord; left -= kLanes * kWord, at += kLanes * kWord) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = add_carrying(lanes[i], word(at + i * kWord));
  }
  for (; left >= kWord; left -= kWord, at += kWord) lanes[0] = add_carrying(lanes[0], word(at));
  std::uint64_t last = 0;
  if (left > 0) std::memcpy(&last, at, left);
  std::uint64_t sum = last;
  for (const std::uint64_t lane : lanes) sum = add_carrying(sum, lane);
  return fold(sum);
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

void InternetSum::add16(std::uint16_t value) {
  assert(!odd_);
  sum_ += in_network_order(value);
}

std::uint16_t InternetSum::folded() const { return in_network_order(fold(sum_)); }

bool complete_checksum(Mbuf& packet) {
  const Offload& offload = packet.pkthdr.offload;
  if (!offload.is_pending()) return true;
  const std::size_t start = offload.csum_start, at = start + offload.csum_offset;
  if (offload.is_super_frame() || at + 2 > packet.pkthdr.len) return false;
  InternetSum sum;
  sum.add(MbufCursor(packet, start), packet.pkthdr.len - start);
  // In UDP 0 means that there is none (RFC 768); elsewhere both zeros are the same.
  const auto checksum = static_cast<std::uint16_t>(~sum.folded());
  std::byte bytes[2];
  store_be16(bytes, checksum == 0 ? 0xffff : checksum);
  m_copyback(packet, at, bytes);
  packet.pkthdr.offload = {};
  return true;
}

}  // namespace vif::net
