// SPDX-License-Identifier: BSD-2-Clause
// The IP multicast groups one interface has joined, counted, each with its place in the driver's multicast list.
// Routers hear of it from membership.hpp. Domain's thread.
#pragma once

#include <vector>

#include "netstack/inet/ip_address.hpp"

namespace vif::net::inet {

class Interface;

class Groups {
 public:
  static constexpr std::size_t kGroupsMax = 256;

  explicit Groups(Interface& interface) : interface_(interface) {}

  // EINVAL: not a group. ENOBUFS: kGroupsMax are joined. Otherwise what the driver says.
  Status join(const IpAddress& group);
  // EADDRNOTAVAIL: not joined.
  Status leave(const IpAddress& group);
  void leave_all();

  bool contains(const IpAddress& group) const;

 private:
  struct Member {
    IpAddress group;
    std::uint32_t references;
  };
  std::vector<Member>::iterator find(const IpAddress& group);

  Interface& interface_;
  std::vector<Member> members_;  // ordered by group
};

}  // namespace vif::net::inet
