// SPDX-License-Identifier: BSD-2-Clause
// ARP for IPv4 on Ethernet: RFC 826, with the probes, announcements and defence of RFC 5227. Domain's thread.
#pragma once

#include <optional>

#include "netstack/inet/ip_address.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net::inet {

struct Stack;
class Interface;

inline constexpr std::size_t kArpBytes = 28;  // RFC 826, with 6 and 4 bytes of address

// The packet; the only place that knows its offsets.
struct ArpPacket {
  static constexpr std::uint16_t kRequest = 1, kReply = 2;

  std::uint16_t operation = 0;
  MacAddress sender_mac;
  IpAddress sender;
  MacAddress target_mac;
  IpAddress target;

  // The packet at `from`, which has kArpBytes; nullopt: not Ethernet and IPv4.
  static std::optional<ArpPacket> load(const std::byte* from);
  void store(std::byte* to) const;
};

class Arp {
 public:
  explicit Arp(Stack& stack) : stack_(stack) {}

  void input(Interface& in, MbufPtr packet);

  // Asks who has `target`: everyone, or the one who had it (RFC 1122, 2.3.2.1: unicast poll).
  void solicit(Interface& out, const IpAddress& target, const std::optional<MacAddress>& to);
  void probe(Interface& out, const IpAddress& address);     // RFC 5227, 2.1.1
  void announce(Interface& out, const IpAddress& address);  // RFC 5227, 2.3

 private:
  void learn(Interface& in, const ArpPacket& said, bool to_us);
  void send(Interface& out, const ArpPacket& packet, const MacAddress& to);

  Stack& stack_;
};

}  // namespace vif::net::inet
