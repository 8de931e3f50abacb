// SPDX-License-Identifier: BSD-2-Clause
// Who gets which frame, and what became of each.
#include "netstack/if_bridge.hpp"

#include "tests/netstack/bridge_rig.hpp"

namespace {

using namespace rig;

class BridgeTest : public BridgeRig {
 protected:
  void SetUp() override { make(); }
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
  EXPECT_EQ(count(0, BridgeFate::flooded), 2U);
  EXPECT_EQ(count(0, BridgeFate::forwarded), 1U);
  EXPECT_EQ(count(2, BridgeFate::bad_source), 1U);
  hear(1, frame(b, a, 61));
  EXPECT_EQ(count(1, BridgeFate::same_port), 1U) << "a moved there, beside b";
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
  pass(200s);
  hear(0, frame(b, a));
  pass(299s);
  EXPECT_EQ(bridge->find(0, a), ports[0]);
  pass(2s);
  EXPECT_EQ(bridge->find(0, a), nullptr);
  EXPECT_EQ(data(0).stations, 0U);
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
  bridge = std::make_unique<Bridge>(domain, Bridge::Config{.probe_interval = kNoProbes});
  for (Ifnet* const ifp : ports) ASSERT_EQ(error_of(bridge->add(*ifp)), 0);
  hear(0, frame(b, a, 40'000), tcp);
  EXPECT_EQ(wire("1").sent.at(0), frame(b, a, 40'000));
  EXPECT_EQ(wire("2").sent_offload.at(0), tcp);
}

TEST_F(BridgeTest, keeps_what_belongs_to_one_segment) {
  hear(0, frame({{0x01, 0x80, 0xc2, 0, 0, 0x0e}}, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 0}));
  EXPECT_EQ(count(0, BridgeFate::reserved_group), 1U);
  hear(0, frame({{0x01, 0x80, 0xc2, 0, 0, 0x10}}, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeTest, one_port_cannot_flood_the_others) {
  for (int i = 0; i < 3; ++i) set(i, {.floods_per_second = 100});
  for (int i = 0; i < 200; ++i) hear(0, frame(kBroadcast, a));
  const std::uint64_t limited = count(0, BridgeFate::flood_limit);
  EXPECT_EQ(limited + count(0, BridgeFate::flooded), 200U);
  EXPECT_GT(limited, 150U);
  sent();
  hear(1, frame(kBroadcast, b));
  EXPECT_EQ(sent(), (Counts{1, 0, 1})) << "the others may";
  pass(1s);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 1})) << "and it may again";
  set(0, {.floods_per_second = 0});
  for (int i = 0; i < 500; ++i) hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(1).size(), 500U) << "without a limit";
}

TEST_F(BridgeTest, a_port_may_be_spared_what_is_flooded) {
  set(1, {.floods_unknown = false});
  set(2, {.floods_multicast = false, .floods_broadcast = false});
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  hear(0, frame(kGroup, a));
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 2, 0}));
  hear(1, frame(a, b));
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{1, 1, 0})) << "what is known is not flooded";
}

TEST_F(BridgeTest, a_port_may_be_told_not_to_learn) {
  set(0, {.learns = false});
  hear(0, frame(b, a));
  EXPECT_EQ(bridge->find(0, a), nullptr);
  ASSERT_EQ(error_of(bridge->add_static(ifp(0), 0, a)), 0);
  sent();
  hear(1, frame(a, b));
  EXPECT_EQ(sent(), (Counts{1, 0, 0}));
}

TEST_F(BridgeTest, a_static_station_stays_where_it_was_said_to_be) {
  ASSERT_EQ(error_of(bridge->add_static(ifp(2), 0, a)), 0);
  pass(1000s);
  hear(0, frame(b, a));
  bridge->flush();
  EXPECT_EQ(bridge->find(0, a), ports[2]) << "neither aged nor moved nor flushed";
  ASSERT_EQ(error_of(bridge->add_static(ifp(1), 0, a)), 0);
  EXPECT_EQ(bridge->find(0, a), ports[1]) << "but told anew";

  hear(0, frame(a, b));
  const std::vector<BridgeStation> all = bridge->stations();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].address, a);
  EXPECT_TRUE(all[0].is_static);
  EXPECT_EQ(all[0].ifp, ports[1]);
  EXPECT_EQ(all[1].address, b);
  EXPECT_FALSE(all[1].is_static);

  EXPECT_EQ(error_of(bridge->remove_static(0, b)), ENOENT);
  EXPECT_EQ(error_of(bridge->remove_static(0, a)), 0);
  EXPECT_EQ(error_of(bridge->remove_static(0, a)), ENOENT);
  EXPECT_EQ(bridge->find(0, a), nullptr);
  EXPECT_EQ(error_of(bridge->add_static(ifp(0), 0, kGroup)), EINVAL);
  EXPECT_EQ(error_of(bridge->add_static(ifp(0), 4095, a)), EINVAL);
  EXPECT_EQ(error_of(bridge->add_static(create("virt7"), 0, a)), ENOENT);
}

TEST_F(BridgeTest, an_address_flood_displaces_its_own_port_only) {
  bridge.reset();
  bridge = std::make_unique<Bridge>(domain, Bridge::Config{.stations_max = 8, .probe_interval = kNoProbes});
  for (Ifnet* const ifp : ports) ASSERT_EQ(error_of(bridge->add(*ifp, {.floods_per_second = 0})), 0);
  hear(1, frame(a, b));
  ASSERT_EQ(error_of(bridge->add_static(ifp(0), 0, a)), 0);
  for (unsigned i = 0; i < 100; ++i) hear(0, frame(b, MacAddress::from_key(0x0200'0000'0100 + i)));
  EXPECT_EQ(bridge->stations().size(), 8U);
  EXPECT_EQ(data(0).stations, 7U);
  EXPECT_EQ(data(0).stations_displaced, 94U);
  EXPECT_EQ(bridge->find(0, b), ports[1]);
  EXPECT_EQ(bridge->find(0, a), ports[0]);
  EXPECT_EQ(count(0, BridgeFate::forwarded), 100U);
  bridge.reset();
}

TEST_F(BridgeTest, a_table_full_of_static_stations_learns_nobody) {
  bridge.reset();
  bridge = std::make_unique<Bridge>(domain, Bridge::Config{.stations_max = 4, .probe_interval = kNoProbes});
  for (Ifnet* const ifp : ports) ASSERT_EQ(error_of(bridge->add(*ifp)), 0);
  for (unsigned i = 0; i < 4; ++i) {
    ASSERT_EQ(error_of(bridge->add_static(ifp(1), 0, MacAddress::from_key(0x0200'0000'0100 + i))), 0);
  }
  EXPECT_EQ(error_of(bridge->add_static(ifp(1), 0, b)), ENOSPC);
  hear(0, frame(b, a));
  EXPECT_EQ(data(0).stations_refused, 1U);
  EXPECT_EQ(sent(), (Counts{0, 1, 1}));
}

TEST_F(BridgeTest, members_come_and_go) {
  EXPECT_EQ(error_of(bridge->add(*ports[0])), EEXIST);
  hear(2, frame(b, a));
  ASSERT_EQ(destroy("virt2"), 0);
  host.settle();
  ports.pop_back();
  EXPECT_EQ(bridge->find(0, a), nullptr);
  EXPECT_EQ(error_of(bridge->remove(*ports[1])), 0);
  EXPECT_FALSE(ports[1]->is(IFF_PROMISC));
  EXPECT_EQ(error_of(bridge->remove(*ports[1])), ENOENT);
  EXPECT_EQ(error_of(bridge->set(*ports[1], {})), ENOENT);
  EXPECT_EQ(error_of(Status(bridge->data(*ports[1]).error())), ENOENT);
  EXPECT_EQ(error_of(Status(bridge->settings(*ports[1]).error())), ENOENT);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

TEST_F(BridgeTest, a_port_taken_away_by_a_tap_on_the_way_out_gets_nothing_more) {
  Tapped tapped;
  ASSERT_TRUE(ifp(1).taps.attach(tapped, {}, BpfDirections::both));
  tapped.then = [&] { (void)bridge->remove(ifp(2)), (void)bridge->add(ifp(2)); };
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{0, 1, 0})) << "it is a member again, but was not when the frame came";
  EXPECT_EQ(count(0, BridgeFate::flooded), 1U);
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

TEST_F(BridgeTest, a_port_that_is_down_costs_the_others_nothing) {
  ASSERT_EQ(down(*ports[1]), 0);
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
  EXPECT_EQ(ports[1]->counters.read().offered(), 0U);
}

TEST_F(BridgeTest, whoever_was_behind_a_cable_that_is_pulled_is_looked_for_everywhere) {
  hear(1, frame(a, b));
  wire("1").carrier(LinkState::down);
  host.settle();
  EXPECT_EQ(bridge->find(0, b), nullptr);
  sent();
  hear(0, frame(b, a));
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
}

TEST_F(BridgeTest, counts_the_ports_a_flood_did_not_reach) {
  std::vector<MbufPtr> all;
  while (MbufPtr m = domain.pool().get(60)) all.push_back(std::move(m));
  all.pop_back();  // for the frame that arrives
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(data(0).flood_copies_failed, 1U);
  EXPECT_EQ(sent(), (Counts{0, 0, 1}));
}

}  // namespace
