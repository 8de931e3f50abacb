// SPDX-License-Identifier: BSD-2-Clause
// What one interface tells the multicast routers of its link about the groups it is in, and when: the host's part of
// IGMPv3 (RFC 3376, 5) and of MLDv2 (RFC 3810, 6), which differ only in their messages (group_messages.hpp). As long as
// a router of the version before is about, that one is spoken (RFC 3376, 7.2; RFC 3810, 8.2).
//
// We want every source of a group. One of these for each family, owned by the Interface. Domain's thread.
#pragma once

#include <span>
#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net::inet {

struct Stack;
class Interface;

// The numbers are the record types of RFC 3376, 4.2.12 and RFC 3810, 5.2.12.
enum class GroupChange : std::uint8_t { is_in = 2, left = 3, joined = 4 };

struct GroupRecord {
  GroupChange change;
  IpAddress group;
};

// What a router asks.
struct GroupQuery {
  IpAddress group;     // unspecified: all of them
  bool older = false;  // by a router of the version before
  Time answer_within{};
  std::uint8_t robustness = 0;  // how often a report is made, as one may be lost; 0: as usual
  Time interval{};              // between two queries; 0: as usual
};

class Membership {
 public:
  static constexpr std::uint8_t kRobustness = 2;                        // RFC 3376, 8.1; RFC 3810, 9.1
  static constexpr Time kQueryInterval = std::chrono::seconds(125);     // RFC 3376, 8.2; RFC 3810, 9.2
  static constexpr Time kRepeatWithin = std::chrono::seconds(1);        // RFC 3376, 8.11; RFC 3810, 9.11
  static constexpr Time kOlderRepeatWithin = std::chrono::seconds(10);  // RFC 2236, 8.10; RFC 2710, 7.10
  static constexpr std::size_t kLeftMax = 256;                          // groups whose leaving is still to be repeated

  Membership(Stack& stack, Interface& interface);

  void joined(const IpAddress& group);
  void left(const IpAddress& group);
  // Tells of all groups anew: the link is another, or there is an address now to say it from (RFC 3590, 4).
  void announce();
  // Says at once what is still to be said: the interface is about to go.
  void say_changes();

  void queried(const GroupQuery& query);
  // Another host is in the group, and has told the routers so in the older version: that will do for us, too.
  void overheard(const IpAddress& group);

 private:
  struct Entry {
    IpAddress group;
    bool is_in = true;
    std::uint8_t changes_left = 0;  // how often its joining or leaving is still to be told
    Time answer_due = Time::max();
  };

  bool router_is_older() const;
  std::vector<Entry>::iterator find(const IpAddress& group);
  void answer();
  void arm_answer();
  void send(std::span<const GroupRecord> records);

  Stack& stack_;
  Interface& interface_;
  std::vector<Entry> entries_;  // ordered by group
  Callout change_, answer_;
  Time answer_all_due_ = Time::max();
  Time older_until_ = Time::min();
  Time interval_ = kQueryInterval;
  std::uint8_t robustness_ = kRobustness;
};

}  // namespace vif::net::inet
