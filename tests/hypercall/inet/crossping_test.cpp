// SPDX-License-Identifier: BSD-2-Clause
// Many stacks at once: rump's t_shmif crossping (eight instances on one bus, each pings all others), and the chain of
// 255 from its book.
#include "tests/hypercall/inet/inet_network.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;
using namespace net::inet;

class CrossPing : public InetNetwork {};

TEST_F(CrossPing, each_of_eight_instances_hears_all_others_over_either_family) {
  constexpr int kInstances = 8, kTimes = 10;
  const auto v4 = [](int i) { return IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i + 1)); };
  std::vector<std::unique_ptr<InetNode>> nodes;
  std::vector<net::Ifnet*> ifps;
  std::vector<EchoCount> counts(kInstances);
  for (int i = 0; i < kInstances; ++i) {
    nodes.push_back(std::make_unique<InetNode>(place(), InetConfig{}));
    const auto ifp = nodes.back()->link("mem:bus");
    ASSERT_TRUE(ifp) << ifp.error().text;
    ASSERT_TRUE(nodes.back()->inet.add_address(**ifp, {v4(i), 24}, Claim::probe));
    nodes.back()->inet.listen(counts[static_cast<std::size_t>(i)]);
    ifps.push_back(*ifp);
  }
  run(10s);  // claimed on the link, or found to be another's
  std::vector<IpAddress> v6;
  for (int i = 0; i < kInstances; ++i) {
    const auto addresses = nodes[static_cast<std::size_t>(i)]->inet.addresses(*ifps[static_cast<std::size_t>(i)]);
    ASSERT_EQ(addresses.size(), 2U);
    for (const InterfaceAddress& address : addresses) {
      EXPECT_TRUE(address.usable());
      if (!address.address().is_v4()) v6.push_back(address.address());
    }
  }
  const Frame payload = counting(1000);
  for (std::uint16_t sequence = 0; sequence < kTimes; ++sequence) {
    for (std::size_t from = 0; from < kInstances; ++from) {
      for (std::size_t to = 0; to < kInstances; ++to) {
        if (from == to) continue;
        for (const IpAddress& address : {v4(static_cast<int>(to)), v6[to]}) {
          ASSERT_TRUE(nodes[from]->inet.ping(
              {.to = address, .id = 1, .sequence = sequence, .payload = payload, .via = ifps[from]}));
        }
      }
    }
    run(100ms);
  }
  for (std::size_t i = 0; i < kInstances; ++i) {
    EXPECT_EQ(counts[i].replies, kTimes * 2 * (kInstances - 1U));
    EXPECT_EQ(counts[i].bytes, counts[i].replies * payload.size());
    EXPECT_EQ(nodes[i]->inet.read().conflicts, 0U);
    expect_sums(nodes[i]->inet);
    nodes[i]->inet.unlisten(counts[i]);
  }
}

TEST_F(CrossPing, an_echo_goes_through_a_chain_of_255_routers_and_comes_back) {
  constexpr int kNodes = 255;
  RouterChain chain;
  const Status built = chain.build(kNodes, [&](int) -> net::IfCloneTable& { return place(); });
  ASSERT_TRUE(built) << built.error().text;
  EchoCount count;
  chain.first().listen(count);
  ASSERT_TRUE(chain.first().ping({.to = chain.last_address(), .id = 1, .payload = counting(56), .hops = 255}));
  host.settle();
  EXPECT_EQ(count.replies, 1U) << "at once: everyone answers for its address, and no time passes in memory";
  EXPECT_EQ(count.hops, 255 - (kNodes - 2));

  ASSERT_TRUE(chain.first().ping({.to = chain.last_address(), .id = 1, .payload = counting(5000), .hops = 255}));
  host.settle();
  EXPECT_EQ(count.replies, 2U) << "in pieces, too";
  ASSERT_TRUE(chain.first().ping({.to = chain.last_address(), .id = 1, .hops = 253}));
  host.settle();
  EXPECT_EQ(count.replies, 2U);
  EXPECT_EQ(chain.nodes()[253]->inet.read().dropped(InetDrop::hops_exceeded), 1U) << "the last router but one hop";
  for (const auto& node : chain.nodes()) expect_sums(node->inet);
  chain.first().unlisten(count);
}

}  // namespace
}  // namespace vif::test
