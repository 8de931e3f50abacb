// SPDX-License-Identifier: BSD-2-Clause
// Cuts an IPv4 packet into what the path carries (RFC 791, 3.2), and puts together what arrives in pieces.
#include "netstack/checksum.hpp"
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

constexpr std::size_t kOptionsBytesMax = 40;

// The header of the second and later fragments: only options that say so are copied (RFC 791, 3.1), and what does not
// parse is left out.
std::size_t copied_header(Bytes whole, std::array<std::byte, kIp4HeaderBytes + kOptionsBytesMax>& into) {
  constexpr unsigned kEnd = 0, kNothing = 1, kCopied = 0x80;
  std::copy_n(whole.begin(), kIp4HeaderBytes, into.begin());
  std::size_t bytes = kIp4HeaderBytes;
  for (std::size_t at = kIp4HeaderBytes; at < whole.size();) {
    const auto kind = std::to_integer<unsigned>(whole[at]);
    if (kind == kEnd) break;
    if (kind == kNothing) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < whole.size() ? std::to_integer<std::size_t>(whole[at + 1]) : 0;
    if (length < 2 || at + length > whole.size()) break;
    if ((kind & kCopied) != 0) {
      std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(at), length,
                  into.begin() + static_cast<std::ptrdiff_t>(bytes));
      bytes += length;
    }
    at += length;
  }
  while (bytes % 4 != 0) into[bytes++] = std::byte{kEnd};
  return bytes;
}

}  // namespace

Status Ip4::send_cut(const Path& path, MbufPtr packet) {
  InetCounters& count = stack_.counters;
  const Ip4Header header = Ip4Header::load(packet->data());
  const std::size_t first_bytes = header.header_bytes;
  if ((header.fragment & Ip4Header::kDontFragment) != 0 || path.mtu_bytes < kIp4MtuMin) {
    count.drop(InetDrop::out_too_big);
    return fail(std::errc::message_size, "a packet of " + std::to_string(header.total_bytes) +
                                             " bytes is above the path's MTU of " + std::to_string(path.mtu_bytes));
  }
  std::array<std::byte, kIp4HeaderBytes + kOptionsBytesMax> later;
  const std::size_t later_bytes = copied_header(packet->bytes().first(first_bytes), later);
  const std::size_t data_bytes = packet->pkthdr.len - first_bytes;
  const std::size_t first_room = (path.mtu_bytes - first_bytes) / 8 * 8;
  const std::size_t later_room = (path.mtu_bytes - later_bytes) / 8 * 8;
  const std::size_t left_bytes = data_bytes - std::min(data_bytes, first_room);
  const std::size_t fragments = 1 + (left_bytes + later_room - 1) / later_room;
  count.fragmented.add(fragments - 1);

  std::size_t at = 0;
  for (std::size_t i = 0; i < fragments; ++i) {
    const std::size_t room = i == 0 ? first_room : later_room, header_bytes = i == 0 ? first_bytes : later_bytes;
    const std::size_t here = std::min(room, data_bytes - at);
    MbufPtr piece = stack_.domain.pool().get(header_bytes + here);
    if (!piece) {
      count.drop(InetDrop::out_no_mbuf, fragments - i);
      return fail(std::errc::no_buffer_space, "no mbuf for a fragment");
    }
    std::byte* const to = MbufPool::append(*piece, header_bytes + here);
    std::copy_n(i == 0 ? packet->data() : later.data(), header_bytes, to);
    m_copydata(*packet, first_bytes + at, {to + header_bytes, here});
    Ip4Header own = header;
    own.header_bytes = static_cast<std::uint8_t>(header_bytes);
    own.total_bytes = static_cast<std::uint16_t>(header_bytes + here);
    own.fragment = static_cast<std::uint16_t>(header.fragment + at / 8);
    if (i + 1 < fragments) own.fragment |= Ip4Header::kMoreFragments;
    own.store(to);
    set_ip4_checksum(to, header_bytes);
    at += here;
    // One lost is all lost.
    if (Status sent = stack_.transmit(path, std::move(piece)); !sent) {
      count.drop(InetDrop::out_refused, fragments - i - 1);
      return sent;
    }
  }
  return {};
}

std::optional<Packet> Ip4::reassemble(Packet packet) {
  const Ip4Header header = Ip4Header::load(packet.m->data());
  std::optional<Packet> whole =
      stack_.reassembly.add({.id = header.id,
                             .protocol = header.protocol,
                             .offset = (header.fragment & Ip4Header::kOffsetMask) * std::size_t{8},
                             .more = (header.fragment & Ip4Header::kMoreFragments) != 0,
                             .end_max = kIp4PacketBytesMax - header.header_bytes},
                            std::move(packet));
  if (!whole) return std::nullopt;
  std::byte* const at = whole->m->data();
  store_be16(at + 2, static_cast<std::uint16_t>(whole->m->pkthdr.len));
  store_be16(at + 6, load_be16(at + 6) & Ip4Header::kDontFragment);
  set_ip4_checksum(at, whole->payload);
  return whole;
}

}  // namespace vif::net::inet
