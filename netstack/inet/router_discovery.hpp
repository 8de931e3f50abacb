// SPDX-License-Identifier: BSD-2-Clause
// What an IPv6 host learns from the routers of one link: default routes, prefixes, addresses of its own, parameters.
// RFC 4861, 6.3 and 8.3; RFC 4862, 5.5; RFC 4191, 3 (preferences). A stack that forwards is a router and asks nobody.
// Domain's thread.
#pragma once

#include "netstack/base/callout.hpp"
#include "netstack/inet/nd6.hpp"
#include "netstack/inet/route.hpp"

namespace vif::net::inet {

class RouterDiscovery {
 public:
  // RFC 4861, 10.
  static constexpr int kSolicitations = 3;                                // MAX_RTR_SOLICITATIONS
  static constexpr Time kSolicitationInterval = std::chrono::seconds(4);  // RTR_SOLICITATION_INTERVAL
  static constexpr Time kSolicitationDelay = std::chrono::seconds(1);     // MAX_RTR_SOLICITATION_DELAY
  // An advertisement cannot make an address end sooner than this (RFC 4862, 5.5.3 e).
  static constexpr Time kLifetimeMin = std::chrono::hours(2);
  static constexpr Time kRedirectLifetime = std::chrono::minutes(10);  // a redirect has none of its own

  RouterDiscovery(Stack& stack, Interface& interface);

  // Asks for routers, until one answers.
  void start();

  // A router's message, or one to routers, in one piece. False: invalid.
  bool input(const Packet& packet, Bytes message);

 private:
  bool advertised(const Packet& packet, Bytes message);
  bool redirected(const Packet& packet, Bytes message);
  void take_router(const IpAddress& router, Bytes message);
  void take_timing(Bytes message);
  void take_prefix(Bytes option);
  void autoconfigure(const IpPrefix& prefix, Time preferred, Time valid);
  void ask();

  Stack& stack_;
  Interface& interface_;
  int asked_ = 0;
  Callout ask_;
};

}  // namespace vif::net::inet
