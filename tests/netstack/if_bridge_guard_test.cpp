// SPDX-License-Identifier: BSD-2-Clause
// Loops, as they are seen from the ports: an address that jumps, and probes that come back.
#include "netstack/if_bridge.hpp"
#include "tests/netstack/bridge_rig.hpp"

namespace {

using namespace rig;

class BridgeMovesTest : public BridgeRig {
 protected:
  void SetUp() override { make({.moves_per_second = 3}); }
};

TEST_F(BridgeMovesTest, an_address_that_jumps_blocks_the_younger_port_for_a_while) {
  hear(1, frame(a, b));
  for (int i = 0; i < 8; ++i) hear(i % 2, frame(kBroadcast, a));
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::address_moves);
  EXPECT_EQ(data(1).times_blocked, 1U);
  EXPECT_EQ(data(0).blocked_by, BridgeBlock::none);
  EXPECT_EQ(bridge->find(0, a), ports[0]);
  EXPECT_EQ(bridge->find(0, b), nullptr) << "who was there may be reached by another port";
  sent();
  hear(1, frame(kBroadcast, b));
  EXPECT_GT(count(1, BridgeFate::blocked), 0U);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  pass(6s);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::none);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeMovesTest, a_station_may_move_now_and_then) {
  for (int i = 0; i < 20; ++i, pass(2s)) hear(i % 2, frame(b, a));
  EXPECT_EQ(data(0).times_blocked + data(1).times_blocked, 0U);
  EXPECT_EQ(bridge->find(0, a), ports[1]);
}

class BridgeProbeTest : public BridgeRig {
 protected:
  void SetUp() override {
    make_probing({});
    pass(1ms);
  }
  // What one wire was sent comes back on another, as if a cable joined them.
  void carry(int from, int to) {
    for (const Frame& frame : sent(from)) hear(to, frame);
  }
  static bool is_probe(const Frame& frame) { return EtherHeader::load(frame.data()).dst == LoopProbes::kGroup; }
};

TEST_F(BridgeProbeTest, every_port_sends_one_at_once_and_then_every_two_seconds) {
  pass(10s);
  for (int port = 0; port < 3; ++port) {
    EXPECT_EQ(data(port).probes, 6U);
    EXPECT_EQ(data(port).given, 6U);
    for (const Frame& frame : sent(port)) {
      EXPECT_TRUE(is_probe(frame));
      EXPECT_EQ(frame.size(), 60U);
      EXPECT_EQ(EtherHeader::load(frame.data()).src, ifp(port).lladdr());
    }
  }
}

TEST_F(BridgeProbeTest, a_probe_that_comes_back_blocks_the_younger_port_until_the_loop_is_gone) {
  hear(1, frame(a, b));
  sent(0);
  carry(1, 0);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::own_probe);
  EXPECT_EQ(data(0).blocked_by, BridgeBlock::none);
  EXPECT_EQ(count(0, BridgeFate::own_probe), 1U);
  EXPECT_EQ(bridge->find(0, b), nullptr);
  sent();
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  // As long as the cable is there. Only the blocked port's are carried, or only those it hears.
  for (int i = 0; i < 10; ++i, pass(2s)) i % 2 == 0 ? carry(1, 0) : carry(0, 1);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::own_probe);
  EXPECT_EQ(data(1).times_blocked, 1U);
  sent();
  pass(7s);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::none);
  sent();
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeProbeTest, a_port_that_hears_itself_is_blocked) {
  carry(2, 2);
  EXPECT_EQ(data(2).blocked_by, BridgeBlock::own_probe);
  EXPECT_EQ(bridge->find(0, ifp(2).lladdr()), nullptr) << "a probe's sender is no station";
}

TEST_F(BridgeProbeTest, a_cable_that_is_put_in_is_probed_at_once) {
  wire("1").carrier(LinkState::down);
  host.settle();
  pass(500ms);
  sent();
  wire("1").carrier(LinkState::up);
  host.settle();
  EXPECT_EQ(sent(1).size(), 1U);
}

TEST_F(BridgeProbeTest, probes_of_others_pass_and_made_up_ones_block_nobody) {
  Frame other = sent(0).at(0);
  other[30] ^= std::byte{1};  // of another bridge, or of another port of ours: the hash is wrong either way
  hear(1, other);
  EXPECT_EQ(count(1, BridgeFate::flooded), 1U);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::none);
  for (std::size_t bytes = 14; bytes < 60; ++bytes)
    hear(1, Frame(other.begin(), other.begin() + static_cast<long>(bytes)));
  EXPECT_EQ(data(1).times_blocked, 0U);
}

TEST_F(BridgeProbeTest, a_recorded_probe_blocks_nobody_later) {
  const Frame recorded = sent(1).at(0);
  pass(10s);
  hear(0, recorded);
  EXPECT_EQ(count(0, BridgeFate::own_probe), 1U);
  EXPECT_EQ(data(0).times_blocked + data(1).times_blocked, 0U);
}

TEST_F(BridgeProbeTest, a_probe_of_a_port_that_left_blocks_nobody) {
  const Frame probe = sent(1).at(0);
  ASSERT_EQ(error_of(bridge->remove(ifp(1))), 0);
  ASSERT_EQ(error_of(bridge->add(ifp(1))), 0);
  hear(0, probe);
  EXPECT_EQ(data(0).times_blocked + data(1).times_blocked, 0U);
  bridge.reset();
}

class BridgeVlanProbeTest : public BridgeProbeTest {
 protected:
  void SetUp() override {
    make_probing({.filters_vlans = true});
    set(0, {.vlans = BridgeVlans::access(10)});
    set(1, {.vlans = BridgeVlans::access(10)});
    set(2, {.vlans = BridgeVlans::access(20)});
    pass(1ms);
  }
};

TEST_F(BridgeVlanProbeTest, ports_of_two_vlans_that_are_joined_are_no_loop) {
  sent(0);
  sent(1);
  carry(2, 0);
  EXPECT_EQ(count(0, BridgeFate::own_probe), 1U);
  EXPECT_EQ(data(2).times_blocked, 0U);
  pass(2s);
  carry(1, 0);
  EXPECT_EQ(data(1).blocked_by, BridgeBlock::own_probe);
}

}  // namespace
