// SPDX-License-Identifier: BSD-2-Clause
// The receive filter as the host's interface knows it: what it must take for us beyond its own address. One thread.
#pragma once

#include <set>

#include "hypercall/uring/packet_socket.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// What `filter` wants of an interface whose own address is `lladdr`.
std::set<Membership> memberships_for(const drv::ReceiveFilter& filter, const net::MacAddress& lladdr);

// Those a socket holds.
class Memberships {
 public:
  // Joins what is new and leaves what is no longer wanted. Where the host refuses one, the next wider takes its place,
  // so that nothing wanted stays away.
  void become(const std::set<Membership>& wanted, PacketSocket& socket, unsigned ifindex);
  // The socket is gone, and they with it.
  void forget() { held_.clear(); }

 private:
  std::set<Membership> held_;
};

}  // namespace vif::host
