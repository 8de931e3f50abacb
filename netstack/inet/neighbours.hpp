// SPDX-License-Identifier: BSD-2-Clause
// Who is behind which Ethernet address: one interface's neighbour cache, for ARP and neighbour discovery alike, with
// the states of RFC 4861, 7.3.2. Packets for a neighbour not yet known are held meanwhile.
//
// Everything is bounded. An attacker who makes us look for hosts that are not there displaces only other such
// lookups (RFC 6583, 7.2). Domain's thread.
#pragma once

#include <optional>
#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net::inet {

struct Stack;

enum class NeighbourState : std::uint8_t { incomplete, reachable, stale, delay, probe, permanent };

struct Neighbour {
  IpAddress address;
  MacAddress mac{};  // meaningless while incomplete
  NeighbourState state = NeighbourState::incomplete;
  bool router = false;
  std::uint8_t asked = 0;          // solicitations sent in this state
  Time due = Time::max();          // of incomplete, delay and probe: when the next step is
  Time reachable_until = Time{0};  // of reachable
  Time used = Time{0};
};

class Neighbours {
 public:
  static constexpr std::size_t kEntriesMax = 512;
  static constexpr std::size_t kIncompleteMax = 128;
  static constexpr std::size_t kHeldMax = 256;             // packets, for all neighbours
  static constexpr std::size_t kHeldPerNeighbourMax = 64;  // one packet of 64 KiB in pieces of 1500 bytes fits
  static constexpr int kSolicitationsMax = 3;              // MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT (RFC 4861, 10)
  static constexpr Time kDelayFirstProbe = std::chrono::seconds(5);  // DELAY_FIRST_PROBE_TIME (RFC 4861, 10)
  static constexpr Time kReachable = std::chrono::seconds(30);       // REACHABLE_TIME (RFC 4861, 10)
  // RETRANS_TIMER (RFC 4861, 10); ARP may not ask more often either (RFC 1122, 2.3.2.1).
  static constexpr Time kRetransmit = std::chrono::seconds(1);

  Neighbours(Stack& stack, Interface& interface);

  // Sends an IP packet to a neighbour, now or when it is known. When it does not answer the packet's sender is told.
  // Errors: what the interface says, and ENOBUFS. The packet is counted either way.
  Status output(MbufPtr packet, const IpAddress& next_hop);

  // It said its address without being asked (RFC 4861, 7.2.3): an ARP request, a solicitation.
  enum class Unknown : bool { skip, add };
  void heard_from(const IpAddress& address, const MacAddress& mac, Unknown unknown);

  // It answered, or announced itself (RFC 4861, 7.2.5): an ARP reply, an advertisement.
  struct Advertised {
    std::optional<MacAddress> mac;
    bool solicited, override_known;
    std::optional<bool> router;
  };
  void advertised(const IpAddress& address, const Advertised& said);

  // A fixed entry, never asked and never forgotten. ENOBUFS: kEntriesMax are taken by others of that kind.
  Status add_permanent(const IpAddress& address, const MacAddress& mac);
  // With what is held for it. False: there is none.
  bool remove(const IpAddress& address);
  void flush();  // all but the permanent ones

  // Whether it has been asked in vain lately, so that another router is a better choice (RFC 4861, 6.3.6).
  bool is_silent(const IpAddress& address) const;
  const std::vector<Neighbour>& entries() const { return entries_; }  // ordered by address
  std::size_t held() const { return held_.size(); }

  // As routers say (RFC 4861, 6.3.4).
  void set_reachable(Time reachable) { reachable_ = reachable; }
  void set_retransmit(Time retransmit) { retransmit_ = retransmit; }
  Time retransmit() const { return retransmit_; }
  void set_router(const IpAddress& address);  // when it is known

 private:
  struct Held {
    IpAddress next_hop;
    MbufPtr packet;
  };

  Neighbour* find(const IpAddress& address);
  Neighbour* insert(const IpAddress& address, NeighbourState state);
  bool make_room(NeighbourState state);
  void hold(MbufPtr packet, const IpAddress& next_hop);
  void release(const IpAddress& next_hop, const MacAddress& mac);
  void give_up(const IpAddress& address);
  bool forget(const IpAddress& address);
  void become_reachable(Neighbour& entry);
  Status send(MbufPtr packet, const MacAddress& mac);
  void solicit(Neighbour& entry);
  void step(const IpAddress& address);
  void run_due();
  void arm();

  Stack& stack_;
  Interface& interface_;
  std::vector<Neighbour> entries_;  // ordered by address
  std::vector<Held> held_;          // oldest first
  Callout due_;
  Time reachable_ = kReachable, retransmit_ = kRetransmit;
};

}  // namespace vif::net::inet
