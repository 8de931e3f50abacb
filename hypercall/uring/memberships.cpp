// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/memberships.hpp"

#include <utility>
#include <vector>

namespace vif::host {
namespace {

using Of = Membership::Of;

std::vector<Membership> wider_than(const Membership& membership) {
  switch (membership.of) {
    case Of::group:
      return {{Of::allmulti}};
    case Of::address:
    case Of::allmulti:
      return {{Of::promisc}};
    case Of::promisc:
      break;
  }
  return {};
}

}  // namespace

std::set<Membership> memberships_for(const drv::ReceiveFilter& filter, const net::MacAddress& lladdr) {
  std::set<Membership> wanted;
  if (filter.promisc) wanted.insert({Of::promisc});
  if (filter.allmulti) wanted.insert({Of::allmulti});
  if (filter.lladdr != lladdr) wanted.insert({Of::address, filter.lladdr});
  for (const net::MacRange& range : filter.groups) {
    wanted.insert(range.is_single() ? Membership{Of::group, range.lo} : Membership{Of::allmulti});
  }
  return wanted;
}

void Memberships::become(const std::set<Membership>& wanted, PacketSocket& socket, unsigned ifindex) {
  std::set<Membership> held;
  std::vector<Membership> asked(wanted.begin(), wanted.end());
  while (!asked.empty()) {
    const Membership membership = asked.back();
    asked.pop_back();
    if (held.contains(membership)) continue;
    if (held_.contains(membership) || socket.join(ifindex, membership)) {
      held.insert(membership);
    } else {
      const std::vector<Membership> wider = wider_than(membership);
      asked.insert(asked.end(), wider.begin(), wider.end());
    }
  }
  for (const Membership& membership : std::exchange(held_, std::move(held))) {
    if (!held_.contains(membership)) socket.leave(ifindex, membership);
  }
}

}  // namespace vif::host
