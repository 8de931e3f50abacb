// SPDX-License-Identifier: BSD-2-Clause
// Cuts an IPv6 packet of ours into what the path carries: RFC 8200, 4.5.
#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

// Only the source cuts, and only behind the fixed header: we write no other that would have to go with each piece.
Status Ip6::send_cut(const Path& path, MbufPtr packet) {
  InetCounters& count = stack_.counters;
  constexpr std::size_t kHeadersBytes = kIp6HeaderBytes + kFragmentHeaderBytes;
  Ip6Header header = Ip6Header::load(packet->data());
  const std::uint8_t protocol = std::exchange(header.next_header, kProtocolFragment);
  const std::uint32_t id = next_id(header.src, header.dst);
  const std::size_t data_bytes = packet->pkthdr.len - kIp6HeaderBytes;
  const std::size_t room = (path.mtu_bytes - kHeadersBytes) / 8 * 8;
  const std::size_t fragments = std::max<std::size_t>((data_bytes + room - 1) / room, 1);
  count.fragmented.add(fragments - 1);
  for (std::size_t i = 0; i < fragments; ++i) {
    const std::size_t offset = i * room, here = std::min(room, data_bytes - offset);
    MbufPtr piece = stack_.domain.pool().get(kHeadersBytes + here);
    if (!piece) {
      count.drop(InetDrop::out_no_mbuf, fragments - i);
      return fail(std::errc::no_buffer_space, "no mbuf for a fragment");
    }
    std::byte* const to = MbufPool::append(*piece, kHeadersBytes + here);
    header.payload_bytes = static_cast<std::uint16_t>(kFragmentHeaderBytes + here);
    header.store(to);
    to[kIp6HeaderBytes] = std::byte{protocol};
    to[kIp6HeaderBytes + 1] = std::byte{0};
    store_be16(to + kIp6HeaderBytes + 2, static_cast<std::uint16_t>(offset | (i + 1 < fragments ? 1 : 0)));
    store_be32(to + kIp6HeaderBytes + 4, id);
    m_copydata(*packet, kIp6HeaderBytes + offset, {to + kHeadersBytes, here});
    // One lost is all lost.
    if (Status sent = stack_.transmit(path, std::move(piece)); !sent) {
      count.drop(InetDrop::out_refused, fragments - i - 1);
      return sent;
    }
  }
  return {};
}

// RFC 7739, 5.3: a counter that starts elsewhere for each pair of hosts.
std::uint32_t Ip6::next_id(const IpAddress& src, const IpAddress& dst) {
  std::array<std::byte, 2 * kIp6AddressBytes> flow;
  src.store6(flow.data());
  dst.store6(flow.data() + kIp6AddressBytes);
  return static_cast<std::uint32_t>(stack_.hash(flow) + ++packets_cut_);
}

}  // namespace vif::net::inet
