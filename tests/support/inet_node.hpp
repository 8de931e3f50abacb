// SPDX-License-Identifier: BSD-2-Clause
// An IP stack with interfaces of its own, and a chain of many that are routers: what the scale test of rump's book has,
// for the tests that ask whether it works and the benchmark that asks how long it takes. One domain's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "netstack/if_clone.hpp"
#include "netstack/inet/inet.hpp"

namespace vif::test {

class InetNode {
 public:
  InetNode(net::IfCloneTable& interfaces, const net::inet::InetConfig& config)
      : interfaces_(interfaces), inet(interfaces.domain(), config) {}

  // An interface more, attached. What the link says.
  Result<net::Ifnet*> link(const std::string& linkstr) {
    Result<net::Ifnet*> made = interfaces_.create("virt");
    if (!made) return made;
    Status done = (*made)->ioctl(net::SetLinkstr{linkstr});
    if (done) done = inet.attach(**made);
    if (!done) return std::move(done).error();
    return made;
  }

 private:
  net::IfCloneTable& interfaces_;

 public:
  net::inet::Inet inet;
};

// Node i and node i + 1 share the segment mem:chain<i>, which is 10.0.i.0/24; i is .1 there, i + 1 is .2.
class RouterChain {
 public:
  static constexpr int kNodesMax = 256;

  // `place`: where node i is to live.
  Status build(int nodes, const std::function<net::IfCloneTable&(int)>& place) {
    for (int i = 0; i < nodes; ++i) {
      nodes_.push_back(std::make_unique<InetNode>(place(i), net::inet::InetConfig{.ip6 = false, .forwarding = true}));
      if (Status joined = i > 0 ? join(i, i - 1) : Status{}; !joined) return joined;
      if (Status joined = i + 1 < nodes ? join(i, i) : Status{}; !joined) return joined;
    }
    return {};
  }

  net::inet::Inet& first() { return nodes_.front()->inet; }
  const std::vector<std::unique_ptr<InetNode>>& nodes() const { return nodes_; }
  net::inet::IpAddress last_address() const { return address(static_cast<int>(nodes_.size()) - 2, 2); }

 private:
  static net::inet::IpAddress address(int segment, std::uint8_t host) {
    return net::inet::IpAddress::v4(10, 0, static_cast<std::uint8_t>(segment), host);
  }
  // Everything is to the right but the first network, which is to the left.
  Status join(int node, int segment) {
    net::inet::Inet& inet = nodes_[static_cast<std::size_t>(node)]->inet;
    Result<net::Ifnet*> ifp = nodes_[static_cast<std::size_t>(node)]->link("mem:chain" + std::to_string(segment));
    if (!ifp) return std::move(ifp).error();
    const bool left = segment < node;
    Status done = inet.add_address(**ifp, {address(segment, left ? 2 : 1), 24}, net::inet::Claim::at_once);
    if (!done || (left && segment == 0)) return done;
    return inet.add_route(
        {.to = left ? net::inet::IpPrefix{address(0, 0), 24} : net::inet::IpPrefix{net::inet::kAny4, 0},
         .gateway = address(segment, left ? 1 : 2),
         .out = *ifp});
  }

  std::vector<std::unique_ptr<InetNode>> nodes_;
};

}  // namespace vif::test
