// SPDX-License-Identifier: BSD-2-Clause
// Which way to a destination: the networks we are on, the routes somebody set, and the routers that advertise
// themselves, in one table. Domain's thread.
#pragma once

#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

enum class RouteOrigin : std::uint8_t {
  connected,   // a network one of our addresses is in
  manual,      // set by the user, or by DHCP
  advertised,  // by a router (RFC 4861, 6.3.4)
};

struct Route {
  IpPrefix to;
  IpAddress gateway;  // unspecified: the destination is on the link
  Interface* out = nullptr;
  RouteOrigin origin = RouteOrigin::manual;
  std::int8_t preference = 0;  // the higher one first, among equally long prefixes (RFC 4191, 2.1: -1, 0, 1)
  Time valid_until = Time::max();

  bool is_direct() const { return gateway.is_unspecified(); }
};

class Routes {
 public:
  static constexpr std::size_t kRoutesMax = 1024;
  static constexpr std::size_t kAdvertisedMax = 32;  // for each interface: what a flood of advertisements can fill

  explicit Routes(Stack& stack);

  // Replaces one with the same prefix, gateway and interface, which keeps its age unless its preference is another.
  // ENOBUFS: full.
  Status add(const Route& route);
  // False: there is none to this prefix, by this gateway, of this origin.
  bool remove(const Route& route);

  Status add_connected(const IpPrefix& prefix, Interface& out);
  void remove_connected(const IpPrefix& prefix, Interface& out);
  void forget(const Interface& out);                                   // the interface goes
  void forget_router(const Interface& out, const IpAddress& gateway);  // it is none any more
  void forget_advertised(const Interface& out);                        // the link is another

  // The longest prefix first, then preference, then a gateway that answers, then age. Null: none; with `via`, only
  // through that interface.
  const Route* find(const IpAddress& destination, const Interface* via) const;

  const std::vector<Route>& entries() const { return entries_; }  // in the order they are tried

 private:
  void run_due();
  void arm();

  Stack& stack_;
  std::vector<Route> entries_;
  Callout due_;
};

}  // namespace vif::net::inet
