// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/path_mtu.hpp"

#include <algorithm>

namespace vif::net::inet {

void PathMtus::lower(const IpAddress& destination, std::uint32_t mtu_bytes, Time now) {
  mtu_bytes = std::max(mtu_bytes, destination.is_v4() ? kMin4 : kMin6);
  std::erase_if(entries_, [&](const Entry& entry) { return now - entry.heard >= kLifetime; });
  auto at = std::lower_bound(entries_.begin(), entries_.end(), destination,
                             [](const Entry& entry, const IpAddress& wanted) { return entry.destination < wanted; });
  if (at != entries_.end() && at->destination == destination) {
    if (mtu_bytes < at->mtu_bytes) *at = {destination, mtu_bytes, now};
    return;
  }
  entries_.insert(at, {destination, mtu_bytes, now});
  if (entries_.size() <= kEntriesMax) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                  [](const Entry& a, const Entry& b) { return a.heard < b.heard; }));
}

std::uint32_t PathMtus::get(const IpAddress& destination, std::uint32_t mtu_bytes, Time now) const {
  if (entries_.empty()) return mtu_bytes;
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), destination,
                       [](const Entry& entry, const IpAddress& wanted) { return entry.destination < wanted; });
  if (at == entries_.end() || at->destination != destination || now - at->heard >= kLifetime) return mtu_bytes;
  return std::min(mtu_bytes, at->mtu_bytes);
}

}  // namespace vif::net::inet
