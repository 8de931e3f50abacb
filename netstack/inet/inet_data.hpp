// SPDX-License-Identifier: BSD-2-Clause
// What a stack counts, in the manner of if_data.hpp: every packet that comes in or goes out ends under one name. The
// domain's thread counts; every thread may read the counters, but for those still waiting (Inet::read).
//
// Two sums always hold, packet by packet:
//   received   + cut    = delivered + merged + forwarded + drops malformed .. not_forwardable + fragments waiting
//   originated + forwarded + fragmented = sent + looped + drops out_no_route .. out_refused + packets held
// A packet to ourselves is looped on its way out and received again on its way in.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/counter.hpp"

namespace vif::net::inet {

enum class InetDrop : std::uint8_t {
  // In, in the order they are asked; the first that matches wins.
  malformed,           // shorter than it says, or a header that no document allows
  bad_checksum,        // of the IPv4 header, ICMP, IGMP or UDP
  bad_address,         // one that no packet may have there: RFC 1122, 3.2.1.3; RFC 4291, 2.5 and 2.7
  not_ours,            // for another host, and we do not forward
  bad_fragment,        // overlaps another, is empty, or would end behind the largest packet
  fragment_timeout,    // the rest did not come
  fragment_limit,      // gave way to later ones: too many wait
  unknown_protocol,    // above IP; the sender was told
  bad_offload,         // a UDP super-frame of more datagrams than Segmenter::kSegmentsMax
  no_socket,           // nobody bound the UDP port; the sender was told
  socket_full,         // the receiver does not keep up
  ignored,             // well-formed, but nothing we act on: an unknown ICMP type, an answer nobody waits for
  invalid_discovery,   // neighbour discovery that fails the tests of RFC 4861, 6.1 or 7.1
  invalid_membership,  // about groups, but fails the tests of RFC 3376, 4 and 9 or RFC 3810, 5.1.14 and 6.2
  in_no_mbuf,          // the pool is empty
  hops_exceeded,       // forwarding: its hops are used up
  no_route,            // forwarding: nobody knows the way
  too_big,             // forwarding: above the next MTU, and may not be cut
  not_forwardable,     // forwarding: not for beyond its link
  // Out.
  out_no_route,    // an answer of ours that knows no way or source
  out_unresolved,  // the next hop does not answer
  out_hold_limit,  // gave way to later ones: too many wait for next hops
  out_too_big,     // above the path's MTU, and may not be cut
  out_no_mbuf,     // the pool is empty
  out_refused,     // the interface said no, and counted why
  kCount,
};

inline constexpr std::size_t kInetDrops = static_cast<std::size_t>(InetDrop::kCount);

inline constexpr std::array<std::string_view, kInetDrops> kInetDropNames = {
    "malformed",        "bad_checksum",   "bad_address",       "not_ours",           "bad_fragment",
    "fragment_timeout", "fragment_limit", "unknown_protocol",  "bad_offload",        "no_socket",
    "socket_full",      "ignored",        "invalid_discovery", "invalid_membership", "in_no_mbuf",
    "hops_exceeded",    "no_route",       "too_big",           "not_forwardable",    "out_no_route",
    "out_unresolved",   "out_hold_limit", "out_too_big",       "out_no_mbuf",        "out_refused",
};

constexpr std::string_view name(InetDrop reason) { return kInetDropNames[static_cast<std::size_t>(reason)]; }

// A reading.
struct VIF_API InetData {
  std::uint64_t received;                         // ARP, IPv4 and IPv6 packets from Ethernet, and looped ones
  std::uint64_t cut;                              // datagrams but the first of received UDP super-frames
  std::uint64_t delivered;                        // understood, or put into a socket
  std::uint64_t merged;                           // fragments that became part of another packet
  std::uint64_t forwarded;                        // and so went out
  std::uint64_t originated;                       // packets of our own
  std::uint64_t fragmented;                       // fragments but the first of packets we cut
  std::uint64_t sent;                             // taken by an interface
  std::uint64_t looped;                           // to ourselves
  std::uint64_t fragments_waiting, packets_held;  // just now
  std::array<std::uint64_t, kInetDrops> drops;
  std::uint64_t errors_sent, errors_suppressed;  // ICMP errors; suppressed by the rate limit (RFC 4443, 2.4 f)
  std::uint64_t conflicts;                       // somebody else used an address of ours
  std::uint64_t reports_sent, queries_heard;     // about groups: messages of IGMP and MLD

  std::uint64_t dropped(InetDrop reason) const { return drops[static_cast<std::size_t>(reason)]; }
  // The right sides of the two sums.
  std::uint64_t ended_in() const;
  std::uint64_t ended_out() const;
};

class VIF_API InetCounters {
 public:
  Counter received, cut, delivered, merged, forwarded;
  Counter originated, fragmented, sent, looped;
  Counter errors_sent, errors_suppressed, conflicts;
  Counter reports_sent, queries_heard;

  void drop(InetDrop reason, std::uint64_t packets = 1) { drops_[static_cast<std::size_t>(reason)].add(packets); }

  InetData read() const;  // without those that wait

 private:
  std::array<Counter, kInetDrops> drops_;
};

}  // namespace vif::net::inet
