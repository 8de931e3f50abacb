// SPDX-License-Identifier: BSD-2-Clause
// An IP stack in a value: ARP, IPv4 and ICMP over any number of interfaces. Not a TCP.
//
// Pure and small, so that a program may have hundreds: time, chance and mbufs come from the domain it belongs to, on
// whose thread everything runs. Not to be destroyed from inside an upcall. A packet's way in, and its way out:
//
//   ether_input                                      UdpSocket::send_to, Inet::ping, an answer of ours
//     │ an interface's own demux                       │ Stack::path_to: route, source, next hop, MTU
//   Interface: received                              Stack::output: IP header, cut to the MTU
//     ├─ Arp::input ── Neighbours                      ├─ to ourselves: looped, and in again
//     ├─ Ip4::input                                    ├─ a group: emit
//     │    whole? addressed to us? Reassembly            └─ Neighbours::output: known, or held meanwhile
//     │    ├─ Udp: a UdpSocket                                │
//     │    ├─ Icmp4: echo, errors about our packets         Stack::emit: ether_output, sent
//     │    └─ else: ICMP error to the sender
//
// Headers are read in place and prepended in place; no packet is copied on the way up. Everything outside may make us
// keep is bounded (docs/inet.md lists the limits), and every packet is counted under one name (inet_data.hpp).
#pragma once

#include <memory>
#include <vector>

#include "netstack/ifnet.hpp"
#include "netstack/inet/addresses.hpp"
#include "netstack/inet/echo.hpp"
#include "netstack/inet/inet_data.hpp"
#include "netstack/inet/neighbours.hpp"
#include "netstack/inet/route.hpp"
#include "netstack/inet/udp_socket.hpp"

namespace vif::net::inet {

// Hears of addresses. Called on the domain's thread, from inside upcalls and callouts; may call the
// Inet, but for detach.
class InetListener {
 public:
  virtual ~InetListener() = default;
  virtual void address_changed(Ifnet& ifp, const InterfaceAddress& address, AddressEvent event) = 0;
};

// To `to`, by `gateway` (unspecified: on the link) through `out`; null: the interface whose network the gateway is in.
struct StaticRoute {
  IpPrefix to;
  IpAddress gateway;
  Ifnet* out = nullptr;
};

// A way that the stack knows, set or learnt.
struct InetRoute {
  IpPrefix to;
  IpAddress gateway;  // unspecified: the destination is on the link
  const Ifnet* out;
  RouteOrigin origin;
  Time valid_until;  // Time::max(): for ever
};

struct InetConfig {
  bool ip6 = true;          // with link-local addresses, and what routers advertise unless it is one itself
  bool forwarding = false;  // pass packets for others from interface to interface
  bool dad = true;  // ask first whether somebody has an IPv6 address (RFC 4862, 5.4); not: nobody else assigns any
};

class VIF_API Inet final : private IfEventListener {
 public:
  static constexpr std::size_t kInterfacesMax = 256;

  // The domain outlives the stack.
  Inet(Domain& domain, const InetConfig& config);
  ~Inet() override;
  Inet(const Inet&) = delete;
  Inet& operator=(const Inet&) = delete;

  // Takes IP and ARP packets from `ifp` and brings it up. It is detached when it departs. EEXIST: a stack has it
  // already. ENOBUFS: kInterfacesMax. EINVAL: another domain's. Otherwise what the driver says (ENXIO: it has no link
  // yet).
  Status attach(Ifnet& ifp);
  // EDEADLK: from inside an upcall. ENXIO, here and below: `ifp` is not attached.
  Status detach(Ifnet& ifp);

  // EINVAL: no host's address. EEXIST: it has it. ENOBUFS: full.
  Status add_address(Ifnet& ifp, const IpPrefix& address, Claim claim, AddressOrigin origin = AddressOrigin::manual);
  // EADDRNOTAVAIL: it does not have it.
  Status remove_address(Ifnet& ifp, const IpAddress& address);
  std::vector<InterfaceAddress> addresses(const Ifnet& ifp) const;

  // ENETUNREACH: no interface is in the gateway's network. ENOBUFS: full.
  Status add_route(const StaticRoute& route);
  // ESRCH: there is none.
  Status remove_route(const StaticRoute& route);
  std::vector<InetRoute> routes() const;  // in the order they are tried

  // A fixed neighbour; replaces what was learnt. ENOBUFS: full.
  Status add_neighbour(Ifnet& ifp, const IpAddress& address, const MacAddress& mac);
  // ESRCH: there is none, fixed or learnt.
  Status remove_neighbour(Ifnet& ifp, const IpAddress& address);
  std::vector<Neighbour> neighbours(const Ifnet& ifp) const;

  // Counted; joined is joined for all of the stack. EINVAL: not a group. EADDRNOTAVAIL: not joined. ENOBUFS: full.
  Status join(Ifnet& ifp, const IpAddress& group);
  Status leave(Ifnet& ifp, const IpAddress& group);

  // EADDRINUSE: taken. EADDRNOTAVAIL: no address of ours. ENXIO: `only` is not attached. ENOBUFS: full.
  Result<std::unique_ptr<UdpSocket>> open_udp(const UdpBind& bind);

  // Sends an echo request. ENETUNREACH: no way there. EMSGSIZE, ENOBUFS, and what the interface says.
  Status ping(const EchoRequest& request);
  void listen(EchoListener& listener);
  void unlisten(EchoListener& listener);

  void listen(InetListener& listener);
  void unlisten(InetListener& listener);

  InetData read() const;

 private:
  void if_arrived(Ifnet&) override {}
  void if_departed(Ifnet& ifp) override;
  void if_link_changed(Ifnet& ifp) override;

  void take_off(Interface& interface);
  Result<Route> resolve(const StaticRoute& route) const;

  std::unique_ptr<Stack> stack_;
};

}  // namespace vif::net::inet
