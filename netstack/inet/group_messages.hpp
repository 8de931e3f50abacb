// SPDX-License-Identifier: BSD-2-Clause
// The messages about multicast groups between hosts and routers of a link: IGMPv3 (RFC 3376, 4) and IGMPv2 (RFC 2236),
// MLDv2 (RFC 3810, 5) and MLDv1 (RFC 2710). What they are about is membership.hpp. Domain's thread.
#pragma once

#include <span>

#include "netstack/inet/membership.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

class GroupMessages {
 public:
  // ICMPv6 types (RFC 2710, 3; RFC 3810, 5.2).
  static constexpr std::uint8_t kMldQuery = 130, kMldReport1 = 131, kMldDone1 = 132, kMldReport2 = 143;
  static bool is_mld(std::uint8_t type) { return (type >= kMldQuery && type <= kMldDone1) || type == kMldReport2; }

  explicit GroupMessages(Stack& stack) : stack_(stack) {}

  void igmp_input(Packet packet);
  // The message's checksum is right.
  void mld_input(Packet packet);

  // Of one family; in as many messages as it takes.
  void report(Interface& out, std::span<const GroupRecord> records);
  // In the version before, which has a message for each group.
  void report_older(Interface& out, const GroupRecord& record);

 private:
  void send(Interface& out, const IpAddress& dst, MbufPtr message);

  Stack& stack_;
};

}  // namespace vif::net::inet
