// SPDX-License-Identifier: BSD-2-Clause
// A switch of three ports on scripted wires: who gets which frame, and what became of each.
#include "netstack/if_bridge.hpp"

#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using namespace std::chrono_literals;

class BridgeTest : public Rig {
 protected:
  void SetUp() override { make({.floods_per_second = 100, .moves_per_second = 3}); }
  void TearDown() override { bridge.reset(); }

  void make(const Bridge::Config& config) {
    bridge = std::make_unique<Bridge>(domain, config);
    for (const char* name : {"0", "1", "2"}) {
      Ifnet& ifp = create(std::string("virt") + name);
      ASSERT_EQ(link(ifp, std::string("sim:") + name), 0);
      ASSERT_EQ(up(ifp), 0);
      ASSERT_EQ(error_of(bridge->add(ifp)), 0);
      ports.push_back(&ifp);
    }
    host.settle();
  }
  void hear(int port, const Frame& frame, const Offload& offload = {}) {
    wire(std::to_string(port)).arrive(frame, offload);
    host.settle();
  }
  void pass(vif::Time time) { host.run_until(host.clock.now() + time); }
  // How many frames each wire has been given since the last call.
  std::vector<std::size_t> sent() {
    std::vector<std::size_t> counts;
    for (int i = 0; i < 3; ++i) {
      SimWire& w = wire(std::to_string(i));
      counts.push_back(std::exchange(w.sent, {}).size());
      w.sent_offload.clear();
      w.sent_slices.clear();
    }
    return counts;
  }
  using Counts = std::vector<std::size_t>;
  BridgePortData data(int port) { return *bridge->data(*ports[static_cast<std::size_t>(port)]); }

  const MacAddress a = kPeer, b = kStranger;
  std::vector<Ifnet*> ports;
  std::unique_ptr<Bridge> bridge;
};

TEST_F(BridgeTest, floods_what_it_does_not_know_and_learns_who_speaks) {
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
  EXPECT_EQ(bridge->find(0, a), ports[0]);
  hear(1, frame(a, b));
  EXPECT_EQ(sent(), (Counts{1, 0, 0}));
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 0}));
  hear(2, frame(kBroadcast, kGroup));
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
  EXPECT_EQ(data(0).count(BridgeFate::flooded), 2U);
  EXPECT_EQ(data(0).count(BridgeFate::forwarded), 1U);
  EXPECT_EQ(data(2).count(BridgeFate::bad_source), 1U);
  hear(1, frame(b, a, 61));
  EXPECT_EQ(data(1).count(BridgeFate::same_port), 1U) << "a moved there, beside b";
  EXPECT_EQ(sent(), (Counts{0, 0, 0}));
}

TEST_F(BridgeTest, addresses_of_one_vlan_say_nothing_of_another) {
  hear(0, vif::test::tagged(frame(b, a), 5));
  EXPECT_EQ(bridge->find(5, a), ports[0]);
  EXPECT_EQ(bridge->find(0, a), nullptr);
  sent();
  hear(1, frame(a, b));
  EXPECT_EQ(sent(), (Counts{1, 0, 1}));
}

TEST_F(BridgeTest, addresses_age_and_can_be_forgotten) {
  hear(0, frame(b, a));
  pass(301s);
  EXPECT_EQ(bridge->find(0, a), nullptr);
  hear(0, frame(b, a));
  bridge->flush();
  EXPECT_EQ(bridge->find(0, a), nullptr);
}

TEST_F(BridgeTest, super_frames_pass_as_they_are) {
  for (int i = 0; i < 3; ++i) wire(std::to_string(i)).caps.offload = OffloadSet::all();
  const Offload tcp{.flags = Offload::kNeedsChecksum, .gso_type = Offload::kGsoTcp4, .hdr_len = 54, .gso_size = 1448};
  bridge.reset();
  for (Ifnet* const ifp : ports) {
    ASSERT_EQ(down(*ifp), 0);
    ASSERT_EQ(unlink(*ifp), 0);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(link(*ports[i], "sim:" + std::to_string(i)), 0);
    ASSERT_EQ(up(*ports[i]), 0);
  }
  bridge = std::make_unique<Bridge>(domain, Bridge::Config{});
  for (Ifnet* const ifp : ports) ASSERT_EQ(error_of(bridge->add(*ifp)), 0);
  hear(0, frame(b, a, 40'000), tcp);
  EXPECT_EQ(wire("1").sent.at(0), frame(b, a, 40'000));
  EXPECT_EQ(wire("2").sent_offload.at(0), tcp);
}

TEST_F(BridgeTest, keeps_what_belongs_to_one_segment) {
  hear(0, frame({{0x01, 0x80, 0xc2, 0, 0, 0x0e}}, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 0}));
  EXPECT_EQ(data(0).count(BridgeFate::reserved_group), 1U);
  hear(0, frame({{0x01, 0x80, 0xc2, 0, 0, 0x10}}, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeTest, one_port_cannot_flood_the_others) {
  for (int i = 0; i < 200; ++i) hear(0, frame(kBroadcast, a));
  const std::uint64_t limited = data(0).count(BridgeFate::flood_limit);
  EXPECT_EQ(limited + data(0).count(BridgeFate::flooded), 200U);
  EXPECT_GT(limited, 150U);
  sent();
  hear(1, frame(kBroadcast, b));
  EXPECT_EQ(sent(), (Counts{1, 0, 1})) << "the others may";
  pass(1s);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1})) << "and it may again";
}

TEST_F(BridgeTest, a_loop_blocks_the_younger_port_for_a_while) {
  for (int i = 0; i < 8; ++i) hear(i % 2, frame(b, a));
  EXPECT_TRUE(data(1).is_blocked);
  EXPECT_FALSE(data(0).is_blocked);
  EXPECT_EQ(bridge->find(0, a), ports[0]);
  sent();
  hear(1, frame(kBroadcast, b));
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  pass(6s);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeTest, the_table_is_bounded) {
  bridge.reset();
  bridge = std::make_unique<Bridge>(domain, Bridge::Config{.addresses_max = 8, .floods_per_second = 1'000'000});
  for (Ifnet* const ifp : ports) ASSERT_EQ(error_of(bridge->add(*ifp)), 0);
  std::size_t known = 0;
  for (unsigned i = 0; i < 100; ++i) hear(0, frame(b, MacAddress::from_key(0x0200'0000'0100 + i)));
  for (unsigned i = 0; i < 100; ++i) known += bridge->find(0, MacAddress::from_key(0x0200'0000'0100 + i)) != nullptr;
  EXPECT_LE(known, 8U);
  EXPECT_EQ(data(0).count(BridgeFate::flooded), 100U);
}

TEST_F(BridgeTest, members_come_and_go) {
  EXPECT_EQ(error_of(bridge->add(*ports[0])), EEXIST);
  hear(2, frame(b, a));
  ASSERT_EQ(destroy("virt2"), 0);
  host.settle();
  EXPECT_EQ(bridge->find(0, a), nullptr);
  EXPECT_EQ(error_of(bridge->remove(*ports[1])), 0);
  EXPECT_FALSE(ports[1]->is(IFF_PROMISC));
  EXPECT_EQ(error_of(bridge->remove(*ports[1])), ENOENT);
  EXPECT_EQ(error_of(Status(bridge->data(*ports[1]).error())), ENOENT);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

TEST_F(BridgeTest, a_port_that_is_down_costs_the_others_nothing) {
  ASSERT_EQ(down(*ports[1]), 0);
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  EXPECT_EQ(ports[1]->counters.read().offered(), 0U);
}

}  // namespace
