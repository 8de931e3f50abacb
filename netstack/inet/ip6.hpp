// SPDX-License-Identifier: BSD-2-Clause
// IPv6: RFC 8200, as a host. Extension headers are walked in place. Domain's thread.
#pragma once

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

inline constexpr std::size_t kIp6HeaderBytes = 40;          // RFC 8200, 3
inline constexpr std::size_t kIp6PayloadBytesMax = 65'535;  // the same: payload length
inline constexpr std::uint32_t kIp6MtuMin = 1280;           // RFC 8200, 5
inline constexpr std::size_t kFragmentHeaderBytes = 8;      // RFC 8200, 4.5

// The fixed header; the only place that knows its offsets.
struct Ip6Header {
  static constexpr std::size_t kNextHeaderAt = 6;

  std::uint8_t traffic_class = 0;
  std::uint16_t payload_bytes = 0;
  std::uint8_t next_header = 0;
  std::uint8_t hops = 0;
  IpAddress src, dst;

  // The header at `from`, which has kIp6HeaderBytes.
  static Ip6Header load(const std::byte* from);
  void store(std::byte* to) const;  // flow label 0
};

class Ip6 {
 public:
  // What is walked of one packet's extension headers; no honest one has more (RFC 8504, 5.3 asks for limits).
  static constexpr int kExtensionsMax = 8;
  static constexpr std::size_t kHeadersBytesMax = 1024;

  explicit Ip6(Stack& stack) : stack_(stack) {}

  // A packet from the link, or one of ours to ourselves.
  void input(Interface& in, MbufPtr packet);

  // Puts a header before `payload` and sends it. Errors: EMSGSIZE (above the path's MTU and `whole`, or more than a
  // packet carries), ENOBUFS, and what the interface says. The packet is counted either way.
  Status output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as);

 private:
  enum class Walk : std::uint8_t { on, reached, ended };  // next header, transport reached, packet gone and counted

  bool addresses_are_right(const Packet& packet) const;
  bool is_ours(Interface& in, const IpAddress& dst, bool& to_group) const;
  void walk(Packet packet);
  Walk step(Packet& packet, std::size_t& named_at);
  Walk step_over_options(Packet& packet);
  Walk step_over_routing(const Packet& packet);
  Walk step_over_fragment(Packet& packet, std::size_t named_at);
  void deliver(Packet packet, std::size_t named_at);
  Status send_cut(const Path& path, MbufPtr packet);
  std::uint32_t next_id(const IpAddress& src, const IpAddress& dst);

  Stack& stack_;
  std::uint64_t packets_cut_ = 0;
};

}  // namespace vif::net::inet
