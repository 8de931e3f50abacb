// SPDX-License-Identifier: BSD-2-Clause
// One interface as a stack sees it: what it knows about the link behind an Ifnet. Owned by its Stack, attached to the
// Ifnet's packets from construction to destruction. Domain's thread.
#pragma once

#include <algorithm>

#include "netstack/ifnet.hpp"
#include "netstack/inet/addresses.hpp"
#include "netstack/inet/groups.hpp"
#include "netstack/inet/membership.hpp"
#include "netstack/inet/neighbours.hpp"
#include "netstack/inet/router_discovery.hpp"

namespace vif::net::inet {

class Interface final : private EtherProtocol {
 public:
  Interface(Stack& stack, Ifnet& ifnet);
  ~Interface() override;
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  Ifnet& ifp;
  Neighbours neighbours;
  Membership membership4, membership6;
  Groups groups;
  Addresses addresses;
  RouterDiscovery router_discovery;

  // As routers say (RFC 4861, 6.3.4).
  std::uint8_t hops = kHopsDefault;
  std::uint32_t router_mtu_bytes = UINT32_MAX;
  // Since it was attached: its neighbours may know the one before.
  bool lladdr_is_new = false;
  // Ours in duplicate address detection (RFC 7527).
  std::array<std::byte, 6> nonce;

  std::uint32_t mtu6() const { return std::min(ifp.mtu_bytes(), router_mtu_bytes); }
  std::uint32_t mtu(const IpAddress& destination) const { return destination.is_v4() ? ifp.mtu_bytes() : mtu6(); }

  Membership& membership(const IpAddress& group) { return group.is_v4() ? membership4 : membership6; }

  // Joins what every host is in, and makes the link-local address. What the driver says.
  Status start();
  // The link came or went, or is another one.
  void link_changed();
  // Tells the link that it leaves: the last thing before it is detached.
  void say_goodbye();

 private:
  void ether_protocol_input(Ifnet& ifnet, const EtherHeader& header, MbufPtr payload) override;

  Stack& stack_;
  EtherDemux demux_;
  bool link_was_up_;
  MacAddress lladdr_;  // with which the addresses were claimed
};

}  // namespace vif::net::inet
