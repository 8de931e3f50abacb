// SPDX-License-Identifier: BSD-2-Clause
// The other ends of a tunnel, by number, and whose datagram this is. Pure but for its addresses' type; does not change.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "hypercall/vxlan/udp_address.hpp"

namespace vif::host {

class Remotes {
 public:
  using Number = std::uint16_t;

  // At least one and at most 65,535, of one family, none twice.
  explicit Remotes(std::vector<UdpAddress> addresses) : addresses_(std::move(addresses)), sorted_(addresses_.size()) {
    for (std::size_t i = 0; i < sorted_.size(); ++i) sorted_[i] = static_cast<Number>(i);
    std::sort(sorted_.begin(), sorted_.end(), [&](Number a, Number b) { return addresses_[a] < addresses_[b]; });
  }

  std::size_t size() const { return addresses_.size(); }
  const UdpAddress& operator[](std::size_t number) const { return addresses_[number]; }

  // Who sends from there: whoever has the same address and port, else the same address. Others choose the source port
  // by the flow inside (RFC 7348, 5), so that it says nothing where one host is one end.
  std::optional<Number> find(const UdpAddress& sender) const {
    const auto first = std::partition_point(sorted_.begin(), sorted_.end(),
                                            [&](Number n) { return addresses_[n].compare_host(sender) < 0; });
    if (first == sorted_.end() || addresses_[*first].compare_host(sender) != 0) return std::nullopt;
    for (auto at = first; at != sorted_.end() && addresses_[*at].compare_host(sender) == 0; ++at) {
      if (addresses_[*at].port() == sender.port()) return *at;
    }
    return *first;
  }

 private:
  std::vector<UdpAddress> addresses_;
  std::vector<Number> sorted_;  // numbers, by address and port
};

}  // namespace vif::host
