// SPDX-License-Identifier: BSD-2-Clause
// IPv4: RFC 791 as RFC 1122, 3.2 wants it of hosts. Options are skipped on the way in. Domain's thread.
#pragma once

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

inline constexpr std::size_t kIp4HeaderBytes = 20;         // RFC 791, 3.1, without options
inline constexpr std::size_t kIp4PacketBytesMax = 65'535;  // RFC 791, 3.1: total length
inline constexpr std::uint32_t kIp4MtuMin = 68;            // RFC 791, 3.2

// The header without its options; the only place that knows its offsets.
struct Ip4Header {
  static constexpr std::uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000, kOffsetMask = 0x1fff;

  std::uint8_t header_bytes = kIp4HeaderBytes;  // with options
  std::uint8_t type_of_service = 0;
  std::uint16_t total_bytes = 0;
  std::uint16_t id = 0;
  std::uint16_t fragment = 0;  // flags, and the offset in units of 8 bytes
  std::uint8_t ttl = 0;
  std::uint8_t protocol = 0;
  IpAddress src, dst;

  bool is_fragment() const { return (fragment & (kMoreFragments | kOffsetMask)) != 0; }

  // The header at `from`, which has kIp4HeaderBytes. Nothing is checked but by valid_ip4_header.
  static Ip4Header load(const std::byte* from);
  // Writes 20 bytes, without a checksum.
  void store(std::byte* to) const;
};

// Sets the checksum of the header at `at`, which has `bytes`.
void set_ip4_checksum(std::byte* at, std::size_t bytes);

class Ip4 {
 public:
  explicit Ip4(Stack& stack) : stack_(stack) {}

  // A packet from the link, or one of ours to ourselves.
  void input(Interface& in, MbufPtr packet);

  // Sends a whole packet in pieces that fit the path. Errors and counting as output.
  Status send_cut(const Path& path, MbufPtr packet);

  // Puts a header before `payload` and sends it. Errors: EMSGSIZE (above the path's MTU and `whole`, or above 65,535
  // bytes), ENOBUFS, and what the interface says. The packet is counted either way.
  Status output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as);

 private:
  bool is_ours(Interface& in, const IpAddress& dst, bool& to_group) const;
  void deliver(Packet packet);
  std::optional<Packet> reassemble(Packet fragment);
  std::uint16_t next_id(const IpAddress& src, const IpAddress& dst, std::uint8_t protocol);

  Stack& stack_;
  std::uint64_t packets_ = 0;
};

}  // namespace vif::net::inet
