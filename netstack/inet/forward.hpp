// SPDX-License-Identifier: BSD-2-Clause
// Packets for others, from one interface to the next: RFC 1812, 5.2 and 5.3; RFC 8200 and RFC 4291 for IPv6. No
// redirects, no multicast routing, no directed broadcasts (RFC 2644). Domain's thread.
#pragma once

#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;
struct Route;

class Forward {
 public:
  explicit Forward(Stack& stack) : stack_(stack) {}

  // A packet that is not for us. Without InetConfig::forwarding it ends here.
  void input(Packet packet);

 private:
  bool may_leave_its_link(const Packet& packet) const;
  bool fits(const Packet& packet, std::uint32_t mtu_bytes) const;
  void pass(Packet packet, const Route& route);

  Stack& stack_;
};

}  // namespace vif::net::inet
