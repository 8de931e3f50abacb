// SPDX-License-Identifier: BSD-2-Clause
// What the parts of a stack hand each other: a packet on its way up, a way to somewhere, and how to send. Plain values
// but for the mbuf; the domain's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "netstack/inet/ip_address.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net::inet {

class Interface;

inline constexpr std::uint16_t kEtherTypeIp4 = 0x0800;  // IEEE 802 numbers (IANA)
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIp6 = 0x86dd;

// Above IP (IANA protocol numbers).
inline constexpr std::uint8_t kProtocolHopByHop = 0;
inline constexpr std::uint8_t kProtocolIcmp4 = 1;
inline constexpr std::uint8_t kProtocolIgmp = 2;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolRouting = 43;
inline constexpr std::uint8_t kProtocolFragment = 44;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;
inline constexpr std::uint8_t kProtocolNone = 59;
inline constexpr std::uint8_t kProtocolDestination = 60;

inline constexpr std::uint8_t kHopsDefault = 64;  // IANA's recommended default TTL (RFC 1700)

// A packet on its way up, in one piece from its IP header to the transport's first bytes.
struct Packet {
  Interface* in = nullptr;
  MbufPtr m;  // from its IP header on, as the wire had it: what an ICMP error quotes
  IpAddress src, dst;
  std::uint8_t protocol = 0;  // of what begins at `payload`
  std::uint8_t hops = 0;
  std::size_t payload = 0;  // bytes of IP headers before it
  bool to_group = false;    // broadcast or multicast, on IP's level or the link's
  bool was_cut = false;     // came in a fragment or several
  bool router_alert = false;

  // Where an answer has to leave: link-local addresses mean nothing elsewhere.
  Interface* in_if_link_local() const { return src.is_link_local() ? in : nullptr; }
};

// The packet an ICMP error is about, as far as the error quotes it.
struct Quoted {
  Interface* in = nullptr;  // where the error came in; null: from ourselves
  IpAddress src, dst;
  std::uint8_t protocol = 0;
  std::uint16_t src_port = 0, dst_port = 0;  // of UDP; of ICMP its type and code, and checksum; 0: not quoted that far
  std::uint32_t echo = 0;                    // of an echo, its id and sequence; 0: not quoted that far
};

// `known` with the ports of what is quoted from `payload` on in `m`, as far as that goes.
Quoted quote(const Mbuf& m, std::size_t payload, Quoted known);

// A way to a destination.
struct Path {
  Interface* out = nullptr;
  IpAddress source;    // ours, or the one asked for
  IpAddress next_hop;  // on the link
  std::uint32_t mtu_bytes = 0;
  bool to_self = false;
  std::optional<MacAddress> mac = {};  // known without asking: a group's, a broadcast's
};

// How to send.
struct SendAs {
  std::uint8_t protocol = 0;
  std::uint8_t hops = 0;           // 0: what is usual there
  std::uint8_t traffic_class = 0;  // IPv4's type of service
  bool whole = false;              // never cut: IPv4's don't-fragment
  bool router_alert = false;       // RFC 2113, RFC 2711
};

}  // namespace vif::net::inet
