// SPDX-License-Identifier: BSD-2-Clause
// Is this destination for us? Judged on the raw bytes, before anything is copied. Domain's thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "netstack/ifnet.hpp"

namespace vif::drv {

enum class RxVerdict : std::uint8_t { ours, broadcast, group, promisc_only, not_for_us };

class RxFilter {
 public:
  // Takes over the interface's address, groups and modes as they are now.
  void program(const net::Ifnet& ifp) {
    lladdr_ = ifp.lladdr().key();
    promisc_ = ifp.is(net::IFF_PROMISC);
    allmulti_ = ifp.is(net::IFF_ALLMULTI);
    groups_.clear();
    for (const auto& entry : ifp.groups().entries()) groups_.push_back(entry.range.lo.key());
  }

  RxVerdict judge(const net::MacAddress& dst) const {
    const std::uint64_t key = dst.key();
    if (key == lladdr_) return RxVerdict::ours;
    if (key == kBroadcastKey) return RxVerdict::broadcast;
    if (dst.is_group() && (allmulti_ || joined(key))) return RxVerdict::group;
    return promisc_ ? RxVerdict::promisc_only : RxVerdict::not_for_us;
  }

  bool is_ours(const net::MacAddress& src) const { return src.key() == lladdr_; }

 private:
  static constexpr std::uint64_t kBroadcastKey = 0xffff'ffff'ffff;

  // A range in the list means IFF_ALLMULTI, so that only single addresses are searched here.
  bool joined(std::uint64_t key) const { return std::binary_search(groups_.begin(), groups_.end(), key); }

  std::uint64_t lladdr_ = 0;
  bool promisc_ = false, allmulti_ = false;
  std::vector<std::uint64_t> groups_;  // in order
};

}  // namespace vif::drv
