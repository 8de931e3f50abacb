// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/groups.hpp"

#include <algorithm>

#include "netstack/inet/interface.hpp"

namespace vif::net::inet {

std::vector<Groups::Member>::iterator Groups::find(const IpAddress& group) {
  return std::lower_bound(members_.begin(), members_.end(), group,
                          [](const Member& member, const IpAddress& wanted) { return member.group < wanted; });
}

bool Groups::contains(const IpAddress& group) const {
  return std::binary_search(members_.begin(), members_.end(), Member{group, 0},
                            [](const Member& a, const Member& b) { return a.group < b.group; });
}

Status Groups::join(const IpAddress& group) {
  if (!group.is_multicast()) {
    return fail(std::errc::invalid_argument, group.to_string() + " is not a multicast group");
  }
  const auto at = find(group);
  if (at != members_.end() && at->group == group) {
    ++at->references;
    return {};
  }
  if (members_.size() == kGroupsMax) {
    return fail(std::errc::no_buffer_space,
                interface_.ifp.name() + " is in all of its " + std::to_string(kGroupsMax) + " groups");
  }
  if (Status added = interface_.ifp.ioctl(AddMulti{MacRange::single(group_mac(group))}); !added) return added;
  members_.insert(at, {group, 1});
  interface_.membership(group).joined(group);
  return {};
}

Status Groups::leave(const IpAddress& group) {
  const auto at = find(group);
  if (at == members_.end() || at->group != group) {
    return fail(std::errc::address_not_available, interface_.ifp.name() + " is not in " + group.to_string());
  }
  if (--at->references > 0) return {};
  members_.erase(at);
  interface_.membership(group).left(group);
  return interface_.ifp.ioctl(DelMulti{MacRange::single(group_mac(group))});
}

void Groups::leave_all() {
  for (; !members_.empty(); members_.pop_back()) {
    const IpAddress& group = members_.back().group;
    (void)interface_.ifp.ioctl(DelMulti{MacRange::single(group_mac(group))});
    interface_.membership(group).left(group);
  }
}

}  // namespace vif::net::inet
