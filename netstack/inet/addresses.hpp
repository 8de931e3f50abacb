// SPDX-License-Identifier: BSD-2-Clause
// The addresses of one interface, and how each is claimed before it is used: IPv4 by probes and announcements (RFC
// 5227), IPv6 by duplicate address detection (RFC 4862, 5.4). Lifetimes are those of RFC 4862, 5.5.4.
//
// Domain's thread. Listeners are told last, so that they may call back in.
#pragma once

#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net::inet {

struct Stack;
class Interface;

enum class AddressState : std::uint8_t {
  tentative,   // being claimed: neither answered for nor sent from
  preferred,   // in use
  deprecated,  // in use, but not for what begins now
  duplicate,   // somebody else has it: not in use
};

enum class AddressOrigin : std::uint8_t { manual, link_local, autoconfigured, dhcp };

enum class AddressEvent : std::uint8_t {
  ready,       // may be used from now on
  duplicate,   // somebody else has it: it will not be used
  conflict,    // in use by us, and somebody else speaks with it too; we defend it (RFC 5227, 2.4 c)
  deprecated,  // its preferred lifetime is over
  gone,        // removed, or its lifetime is over
};

struct InterfaceAddress {
  IpPrefix prefix;  // the address, and how long its network's prefix is
  AddressState state = AddressState::tentative;
  AddressOrigin origin = AddressOrigin::manual;
  Time preferred_until = Time::max(), valid_until = Time::max();

  const IpAddress& address() const { return prefix.address; }
  bool usable() const { return state == AddressState::preferred || state == AddressState::deprecated; }
};

// Whether to ask the link first. The kernel's IPv4 does not, and is at work at once.
enum class Claim : bool { at_once, probe };

class Addresses {
 public:
  static constexpr std::size_t kAddressesMax = 32;

  // RFC 5227, 1.1.
  static constexpr Time kProbeWait = std::chrono::seconds(1);
  static constexpr int kProbes = 3;
  static constexpr Time kProbeMin = std::chrono::seconds(1), kProbeMax = std::chrono::seconds(2);
  static constexpr Time kAnnounceWait = std::chrono::seconds(2);
  static constexpr int kAnnouncements = 2;
  static constexpr Time kAnnounceInterval = std::chrono::seconds(2);
  static constexpr Time kDefendInterval = std::chrono::seconds(10);
  // RFC 4862, 5.1 and 5.4.2; the wait is MAX_RTR_SOLICITATION_DELAY of RFC 4861, 10.
  static constexpr int kDadTransmits = 1;
  static constexpr Time kDadWait = std::chrono::seconds(1);

  Addresses(Stack& stack, Interface& interface);

  // EINVAL: no host's address. EEXIST: it has it already. ENOBUFS: kAddressesMax.
  Status add(const InterfaceAddress& wanted, Claim claim);
  // EADDRNOTAVAIL: it has no such address.
  Status remove(const IpAddress& address);
  void remove_all();
  void set_lifetimes(const IpAddress& address, Time preferred_until, Time valid_until);

  // The link came back, or is another: all are claimed anew.
  void claim_again();

  const std::vector<InterfaceAddress>& entries() const { return entries_; }  // oldest first
  const InterfaceAddress* find(const IpAddress& address) const;
  bool is_usable(const IpAddress& address) const;
  // Whether `address` is the directed broadcast of a network we are in.
  bool is_broadcast(const IpAddress& address) const;
  // The source for a destination beyond this interface (RFC 6724, 5: rules 1, 2, 3 and 8); null: none is usable.
  const InterfaceAddress* source_for(const IpAddress& destination) const;

  // Somebody else was seen to use, or to claim, the address; harmless when it is not ours.
  void other_user(const IpAddress& address);

 private:
  // What is still to be done to claim an address, beside its entry.
  struct Claiming {
    int probes_left = 0, announcements_left = 0;
    Time due = Time::max();
    Time defended = Time::min();
  };

  std::size_t index_of(const IpAddress& address) const;  // entries_.size(): none
  void start(std::size_t index, Claim claim);
  void step(std::size_t index);
  void become_usable(std::size_t index);
  void erase(std::size_t index);
  void age(Time now);
  void run_due();
  void arm();
  void tell(const InterfaceAddress& address, AddressEvent event);

  Stack& stack_;
  Interface& interface_;
  std::vector<InterfaceAddress> entries_;
  std::vector<Claiming> claiming_;  // of the entry with the same index
  Callout due_;
};

}  // namespace vif::net::inet
