// SPDX-License-Identifier: BSD-2-Clause
// A bridge's own interface: a stack on it is a station like others.
#include "netstack/bridge/bridge_if.hpp"

#include "tests/netstack/bridge_rig.hpp"

namespace {

using namespace rig;
using vif::test::tagged;

class BridgeIfTest : public BridgeRig {
 protected:
  void SetUp() override { with_own({}); }
  void with_own(const Bridge::Config& config) {
    make(config);
    own = *bridge->add_own(0);
    own->set_input(&received);
    ASSERT_EQ(up(*own), 0);
  }

  Ifnet* own = nullptr;
};

TEST_F(BridgeIfTest, hears_what_is_for_it_and_nothing_else) {
  EXPECT_EQ(own->name(), "bridge0");
  EXPECT_EQ(events.heard.back(), "bridge0 arrived");
  hear(0, frame(own->lladdr(), a));
  EXPECT_EQ(sent(), (Counts{0, 0, 0}));
  ASSERT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(received.packets[0].bytes, frame(own->lladdr(), a));
  EXPECT_EQ(received.packets[0].hdr.rcvif, own->index());
  hear(0, frame(b, a));
  hear(0, frame(kGroup, a));
  EXPECT_EQ(received.packets.size(), 1U);
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(received.packets.size(), 2U);
  EXPECT_EQ(received.packets[1].hdr.flags & (M_BCAST | M_MCAST | M_PROMISC), M_BCAST);
  ASSERT_EQ(error_of(own->ioctl(AddMulti{MacRange::single(kGroup)})), 0);
  hear(0, frame(kGroup, a));
  EXPECT_EQ(received.packets.back().hdr.flags & (M_BCAST | M_MCAST | M_PROMISC), M_MCAST);
  ASSERT_EQ(error_of(own->ioctl(SetPromisc{true})), 0);
  hear(0, frame(b, a));
  EXPECT_EQ(received.packets.back().hdr.flags & (M_BCAST | M_MCAST | M_PROMISC), M_PROMISC);
  EXPECT_EQ(own->counters.ipackets.get(), 4U);
}

TEST_F(BridgeIfTest, what_is_sent_on_it_goes_where_its_destination_is) {
  EXPECT_EQ(transmit(*own, frame(b, own->lladdr())), 0);
  EXPECT_EQ(sent(), (Counts{1, 1, 1}));
  hear(1, frame(own->lladdr(), b));
  EXPECT_EQ(transmit(*own, frame(b, own->lladdr())), 0);
  EXPECT_EQ(sent(), (Counts{0, 1, 0}));
  EXPECT_EQ(own->counters.otaken.get(), 2U);
  EXPECT_EQ(bridge->data(*own)->count(BridgeFate::forwarded), 1U);
  EXPECT_EQ(transmit(*own, frame(own->lladdr(), own->lladdr())), 0);
  EXPECT_EQ(bridge->data(*own)->count(BridgeFate::same_port), 1U);
}

TEST_F(BridgeIfTest, nobody_takes_its_address_away) {
  hear(2, frame(b, own->lladdr()));
  hear(0, frame(own->lladdr(), a));
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(bridge->find(0, own->lladdr()), nullptr);
}

TEST_F(BridgeIfTest, an_answer_from_inside_an_upcall_is_sent) {
  received.then = [&](Ifnet& ifp) { EXPECT_EQ(transmit(ifp, frame(a, ifp.lladdr())), 0); };
  hear(0, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{1, 1, 1})) << "the broadcast to two, the answer to one";
}

TEST_F(BridgeIfTest, down_it_takes_nothing) {
  ASSERT_EQ(down(*own), 0);
  EXPECT_EQ(transmit(*own, frame(b, own->lladdr())), ENETDOWN);
  hear(0, frame(kBroadcast, a));
  EXPECT_TRUE(received.packets.empty());
}

TEST_F(BridgeIfTest, is_there_once_and_in_no_other_bridge) {
  EXPECT_EQ(error_of(Status(bridge->add_own(1).error())), EEXIST);
  Bridge second(domain, {});
  EXPECT_EQ(error_of(second.add(*own)), ELOOP);
  EXPECT_EQ(error_of(bridge->remove(*own)), ENOENT);
}

TEST_F(BridgeIfTest, goes_with_its_bridge) {
  expect_sums();
  bridge.reset();
  EXPECT_EQ(events.heard.back(), "bridge0 departed");
}

TEST_F(BridgeIfTest, is_in_the_vlans_it_is_told) {
  expect_sums();
  bridge.reset();
  for (int port = 0; port < 3; ++port) ASSERT_EQ(destroy("virt" + std::to_string(port)), 0);
  host.settle();
  ports.clear();
  with_own({.filters_vlans = true});
  BridgePortSettings settings{.vlans = BridgeVlans::access(10)};
  settings.vlans.add_tagged(20);
  ASSERT_EQ(error_of(bridge->set(*own, settings)), 0);
  set(0, {.vlans = BridgeVlans::access(10)});
  set(1, {.vlans = BridgeVlans::access(20)});
  hear(0, frame(own->lladdr(), a));
  hear(1, frame(own->lladdr(), b));
  hear(2, frame(own->lladdr(), b));
  ASSERT_EQ(received.packets.size(), 2U) << "not from VLAN 1";
  EXPECT_EQ(received.packets[0].hdr.flags & M_VLANTAG, 0);
  EXPECT_EQ(received.packets[1].hdr.flags & M_VLANTAG, M_VLANTAG);
  EXPECT_EQ(received.packets[1].hdr.vlan_tci, 20);
  EXPECT_EQ(transmit(*own, frame(kBroadcast, own->lladdr())), 0);
  EXPECT_EQ(transmit(*own, tagged(frame(kBroadcast, own->lladdr(), 61), 20)), 0);
  EXPECT_EQ(sent(0), Frames{frame(kBroadcast, own->lladdr())});
  EXPECT_EQ(sent(1), Frames{frame(kBroadcast, own->lladdr(), 61)});
}

}  // namespace
