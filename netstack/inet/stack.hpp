// SPDX-License-Identifier: BSD-2-Clause
// One IP stack as its parts see it: the tables they share and each other. Users see an Inet (inet.hpp).
//
// Owned by its Inet, belongs to one domain, on whose thread all of it runs. Parts change their own state first and
// send or tell last: whatever is sent or told may call back in.
#pragma once

#include <memory>
#include <vector>

#include "netstack/domain.hpp"
#include "netstack/inet/arp.hpp"
#include "netstack/inet/echo.hpp"
#include "netstack/inet/forward.hpp"
#include "netstack/inet/group_messages.hpp"
#include "netstack/inet/icmp4.hpp"
#include "netstack/inet/icmp6.hpp"
#include "netstack/inet/inet.hpp"
#include "netstack/inet/interface.hpp"
#include "netstack/inet/ip4.hpp"
#include "netstack/inet/ip6.hpp"
#include "netstack/inet/nd6.hpp"
#include "netstack/inet/path_mtu.hpp"
#include "netstack/inet/reassembly.hpp"
#include "netstack/inet/route.hpp"
#include "netstack/inet/seeded_hash.hpp"
#include "netstack/inet/udp.hpp"

namespace vif::net::inet {

struct Stack {
  static constexpr std::size_t kLoopedMax = 64;  // packets to ourselves that wait for their way in
  // ICMP errors: a bucket of this many, filled at this rate (RFC 4443, 2.4 f).
  static constexpr int kErrorsBurst = 50, kErrorsPerSecond = 100;

  Stack(Domain& domain_in, const InetConfig& config_in);
  ~Stack();

  Interface* find(const Ifnet* ifp) const;  // null: not attached
  // The interface with this usable address: `in` before others; for a link-local address only `in`.
  Interface* owner_of(const IpAddress& address, Interface* in) const;

  // A way to `dst`: from `source`, or from what suits when that is unspecified; through `via`, or any interface. None:
  // no route, or no usable address to send from.
  std::optional<Path> path_to(const IpAddress& dst, const IpAddress& source, Interface* via);

  // Puts an IP header before `payload` and sends it on its way. Errors as Ip4::output.
  Status output(const Path& path, const IpAddress& dst, MbufPtr payload, const SendAs& as);
  // The same for a whole packet that fits.
  Status transmit(const Path& path, MbufPtr packet);
  // Hands a packet to an interface, and counts what it says.
  Status emit(Interface& out, MbufPtr packet, const MacAddress& to, std::uint16_t ether_type);

  // Errors to others, of either family.
  void port_unreachable(const Packet& about);
  void reassembly_timed_out(const Packet& first_fragment);
  // A packet whose next hop did not answer: tells whoever sent it, us or another.
  void unreachable(MbufPtr packet);
  // Whether we sent what an error from others is about, a datagram or an echo, lately: nobody who did not see our
  // packets shall tell us what became of them (RFC 5927, 4.1 and 7). Echo replies over IPv4 may be cut by others, so
  // that no error about one matters; over IPv6 whoever asks can still lower the path's MTU to the address it asks from.
  bool has_sent(const Quoted& about);
  // Errors from others, about a packet of ours.
  void hear_error(const Quoted& about, int number);
  void hear_too_big(const Quoted& about, std::uint32_t mtu_bytes);
  // Counts an answer of ours that could not even begin its way.
  void lost_answer(InetDrop why = InetDrop::out_no_route);
  // Takes from the bucket of errors; false: it is empty, which is counted.
  bool may_send_error();

  std::size_t loops() const { return looped_.size(); }
  void tell(Interface& interface, const InterfaceAddress& address, AddressEvent event);
  Time random_below(Time end);

  Domain& domain;
  const InetConfig config;
  InetCounters counters;
  SeededHash hash;
  std::vector<InetListener*> listeners;
  Routes routes;
  PathMtus path_mtus;
  Reassembly reassembly;
  Arp arp;
  Ip4 ip4;
  Icmp4 icmp4;
  Ip6 ip6;
  Icmp6 icmp6;
  Nd6 nd6;
  GroupMessages group_messages;
  Forward forward;
  Echo echo;
  Udp udp;
  std::vector<std::unique_ptr<Interface>> interfaces;  // in the order they were attached

 private:
  struct Looped {
    Interface* in;
    MbufPtr packet;
  };
  std::optional<Path> path_to_group(const IpAddress& dst, const IpAddress& source, Interface* via);
  bool choose_source(Path& path, const IpAddress& dst);
  void run_looped();

  std::vector<Looped> looped_;
  Callout loop_;
  Time errors_full_at_{};  // when the bucket of errors will be full again
};

}  // namespace vif::net::inet
