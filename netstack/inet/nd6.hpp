// SPDX-License-Identifier: BSD-2-Clause
// Neighbour discovery between hosts: RFC 4861, 7, with duplicate address detection as RFC 4862, 5.4 and RFC 7527 want
// it. What routers say is router_discovery.hpp. Domain's thread.
#pragma once

#include <optional>
#include <span>

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

// The options of a discovery message that we know (RFC 4861, 4.6). Borrowed from the message.
struct Nd6Options {
  static constexpr std::size_t kPrefixesMax = 16;  // of one message; more are not looked at
  static constexpr std::uint8_t kSourceMac = 1, kTargetMac = 2, kPrefix = 3, kMtu = 5, kNonce = 14;
  static constexpr std::size_t kMacBytes = 8, kPrefixBytes = 32, kMtuBytes = 8, kNonceBytes = 8;

  std::optional<MacAddress> source_mac, target_mac;
  std::optional<std::uint32_t> mtu_bytes;
  Bytes nonce;
  std::array<Bytes, kPrefixesMax> prefixes;
  std::size_t prefix_count = 0;

  // False: one has no length, or ends behind the message (RFC 4861, 6.1 and 7.1: the whole message is invalid).
  bool parse(Bytes options);
};

class Nd6 {
 public:
  static constexpr std::uint8_t kRouterSolicitation = 133, kRouterAdvertisement = 134, kNeighbourSolicitation = 135,
                                kNeighbourAdvertisement = 136, kRedirect = 137;
  static constexpr std::uint8_t kHops = 255;  // nobody beyond the link can send that: RFC 4861, 6.1 and 7.1

  static bool is_discovery(std::uint8_t type) { return type >= kRouterSolicitation && type <= kRedirect; }

  explicit Nd6(Stack& stack) : stack_(stack) {}

  // A discovery message whose checksum is right.
  void input(Packet packet);

  // Asks who has `target`: its group, or the one who had it.
  void solicit(Interface& out, const IpAddress& target, const std::optional<MacAddress>& to);
  // Asks whether somebody has `address`, which is not yet ours (RFC 4862, 5.4.2).
  void probe(Interface& out, const IpAddress& address);
  // Tells all, unasked, which Ethernet address is behind `address` of ours (RFC 4861, 7.2.6).
  void announce(Interface& out, const IpAddress& address);
  // Asks for routers (RFC 4861, 6.3.7).
  void solicit_routers(Interface& out);

 private:
  struct Message {
    std::uint8_t type;
    std::uint8_t flags;  // of an advertisement
    IpAddress target;
    Nd6Options options;
  };

  bool solicited(const Packet& packet, const Message& message);
  bool advertised(const Packet& packet, const Message& message);
  void advertise(Interface& out, const IpAddress& target, const IpAddress& to);
  void send(Path path, const IpAddress& dst, std::span<const std::byte> message);

  Stack& stack_;
};

}  // namespace vif::net::inet
