// SPDX-License-Identifier: BSD-2-Clause
// Looking for neighbours, remembering them, checking on them: RFC 4861, 7.3 and 10, by way of ARP.
#include "netstack/inet/neighbours.hpp"

#include "tests/netstack/inet/arp_link.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

class NeighbourCache : public ArpLink {};

TEST_F(NeighbourCache, asks_once_and_sends_what_waited_in_order_when_answered) {
  configure("192.0.2.1/24");
  EXPECT_TRUE(ping(kPeer, 1));
  EXPECT_TRUE(ping(kPeer, 2));
  EXPECT_EQ(sent_one(), request_of_ours(kPeer));
  EXPECT_EQ(inet->read().packets_held, 2U);
  arrive(reply_to_us());
  const std::vector<Frame> frames = sent();
  ASSERT_EQ(frames.size(), 2U);
  for (std::uint16_t i = 0; i < 2; ++i) {
    EXPECT_EQ(header_of(frames[i]).dst, kPeerMac);
    EXPECT_EQ(be16_at(frames[i], 14 + 20 + 6), i + 1) << "the echo's sequence";
  }
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
  EXPECT_TRUE(ping(kPeer, 3));
  EXPECT_EQ(header_of(sent_one()).type, 0x0800) << "no more questions";
}

TEST_F(NeighbourCache, asks_three_times_a_second_apart_and_gives_up) {
  configure("192.0.2.1/24");
  const Time start = host.clock.now();
  EXPECT_TRUE(ping(kPeer));
  std::vector<Time> asked;
  for (int i = 0; i < 50; ++i, run(100ms)) {
    for (const Frame& frame : sent()) {
      EXPECT_EQ(frame, request_of_ours(kPeer));
      asked.push_back(host.clock.now() - start);
    }
  }
  EXPECT_EQ(asked, (std::vector<Time>{0s, 1s, 2s}));
  EXPECT_FALSE(neighbour(kPeer));
  EXPECT_EQ(dropped(InetDrop::out_unresolved), 1U);
}

TEST_F(NeighbourCache, holds_64_packets_for_one_neighbour_and_lets_the_oldest_go) {
  configure("192.0.2.1/24");
  for (std::uint16_t i = 0; i < 70; ++i) EXPECT_TRUE(ping(kPeer, i));
  EXPECT_EQ(inet->read().packets_held, 64U);
  EXPECT_EQ(dropped(InetDrop::out_hold_limit), 6U);
  (void)sent();
  arrive(reply_to_us());
  const std::vector<Frame> frames = sent();
  ASSERT_EQ(frames.size(), 64U);
  EXPECT_EQ(be16_at(frames.front(), 14 + 20 + 6), 6);
}

TEST_F(NeighbourCache, keeps_known_neighbours_through_a_flood_of_lookups) {
  configure("192.0.2.1/16");
  arrive(arp({.sender = kPeer, .target = kUs}));
  for (std::uint32_t i = 0; i < 2000; ++i) (void)ping(IpAddress::v4(192U << 24 | 10U << 8 | i));
  EXPECT_TRUE(neighbour(kPeer));
  EXPECT_LE(inet->neighbours(ifp()).size(), net::inet::Neighbours::kEntriesMax);
  EXPECT_LE(inet->read().packets_held, net::inet::Neighbours::kHeldMax);
  (void)sent();
}

TEST_F(NeighbourCache, bounds_what_it_learns_and_forgets_the_one_used_longest_ago) {
  configure("10.0.0.1/8");
  const IpAddress us = IpAddress::v4(10, 0, 0, 1);
  for (std::uint32_t i = 0; i < 600; ++i) {
    arrive(arp({.sender = IpAddress::v4(10U << 24 | 1U << 16 | i), .target = us}));
    run(1ms);
  }
  EXPECT_EQ(inet->neighbours(ifp()).size(), net::inet::Neighbours::kEntriesMax);
  EXPECT_FALSE(neighbour(IpAddress::v4(10, 1, 0, 0)));
  EXPECT_TRUE(neighbour(IpAddress::v4(10U << 24 | 1U << 16 | 599)));
  (void)sent();
}

TEST_F(NeighbourCache, checks_a_stale_neighbour_it_uses_after_five_seconds_by_unicast) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kUs}));
  (void)sent();
  EXPECT_TRUE(ping(kPeer));
  EXPECT_EQ(header_of(sent_one()).type, 0x0800);
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::delay);
  run(4999ms);
  expect_silence();
  run(1ms);
  EXPECT_EQ(sent_one(), request_of_ours(kPeer, kPeerMac));
  arrive(reply_to_us());
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
}

TEST_F(NeighbourCache, forgets_a_neighbour_that_left_after_three_unicast_questions) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kUs}));
  (void)sent();
  EXPECT_TRUE(ping(kPeer));
  (void)sent();
  run(5s + 3s);
  EXPECT_EQ(sent().size(), 3U);
  EXPECT_FALSE(neighbour(kPeer));
}

TEST_F(NeighbourCache, believes_an_answer_for_15_to_45_seconds) {
  configure("192.0.2.1/24");
  EXPECT_TRUE(ping(kPeer));
  arrive(reply_to_us());
  (void)sent();
  run(14s);
  EXPECT_TRUE(ping(kPeer));
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
  run(32s);
  EXPECT_TRUE(ping(kPeer));
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::delay);
  (void)sent();
}

TEST_F(NeighbourCache, never_asks_for_a_permanent_neighbour_nor_believes_others_about_it) {
  configure("192.0.2.1/24");
  know_peer();
  EXPECT_TRUE(ping(kPeer));
  EXPECT_EQ(header_of(sent_one()).dst, kPeerMac);
  arrive(reply_to_us(kPeer, kThirdMac));
  EXPECT_EQ(neighbour(kPeer)->mac, kPeerMac);
  EXPECT_EQ(error_of(inet->remove_neighbour(ifp(), kPeer)), 0);
  EXPECT_EQ(error_of(inet->remove_neighbour(ifp(), kPeer)), ESRCH);
}

TEST_F(NeighbourCache, drops_what_it_holds_for_a_neighbour_that_is_removed) {
  configure("192.0.2.1/24");
  EXPECT_TRUE(ping(kPeer));
  EXPECT_TRUE(ping(kThird));
  (void)sent();
  ASSERT_EQ(error_of(inet->remove_neighbour(ifp(), kPeer)), 0);
  EXPECT_EQ(dropped(InetDrop::out_unresolved), 1U);
  EXPECT_EQ(inet->read().packets_held, 1U) << "the other one's";
  know_peer();
  expect_silence();
}

TEST_F(NeighbourCache, forgets_neighbours_and_announces_itself_when_the_carrier_comes_back) {
  configure("192.0.2.1/24");
  arrive(arp({.sender = kPeer, .target = kUs}));
  (void)sent();
  ports[0]->wire.carrier(net::LinkState::down);
  host.settle();
  ports[0]->wire.carrier(net::LinkState::up);
  host.settle();
  EXPECT_FALSE(neighbour(kPeer));
  EXPECT_EQ(sent_one(), request_of_ours(kUs));
}

}  // namespace
}  // namespace vif::test
