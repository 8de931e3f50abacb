// SPDX-License-Identifier: BSD-2-Clause
// The defects of NetBSD's if_virt.c 1.52 on the way in, by their numbers: what the driver does instead.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;

// 8: a frame given in two or more pieces was lost. Here a frame comes in one piece by its type; whoever has pieces
// gathers them, so what is left to show is that a frame's pieces make no difference on its way from one end to the
// other.
using Defect08 = Rig;
TEST_F(Defect08, a_frame_in_any_pieces_arrives_whole) {
  Ifnet& ifp = running();
  const Frame whole = frame(kPeer, ifp.lladdr(), 60);
  const std::vector<std::vector<std::size_t>> cuts = {{},
                                                      {14},
                                                      {0, 14},
                                                      {1, 13},
                                                      {14, 0, 0, 46},
                                                      {60, 0},
                                                      {0, 0, 0},
                                                      {6, 6, 2, 20, 0},
                                                      std::vector<std::size_t>(59, 1)};
  for (const auto& pieces : cuts) EXPECT_EQ(transmit(ifp, whole, pieces), 0);
  ASSERT_EQ(wire().sent.size(), cuts.size());
  const Frame back = frame(ifp.lladdr(), kPeer, 60);
  for (const Frame& sent : wire().sent) {
    EXPECT_EQ(sent, whole);
    arrive(back);
  }
  ASSERT_EQ(received.packets.size(), cuts.size());
  for (const auto& packet : received.packets) EXPECT_EQ(packet.bytes, back);
}

// 9: of a frame shorter than its header, whatever lay in memory behind it was read; none at all had a negative length.
using Defect09 = Rig;
TEST_F(Defect09, a_frame_shorter_than_its_header_is_counted_and_goes_no_further) {
  Ifnet& ifp = running();
  arrive(frame(ifp.lladdr(), kPeer, 14));
  EXPECT_EQ(received.packets.size(), 1U) << "a header alone is a frame";
  for (std::size_t bytes = 1; bytes < 14; ++bytes) {
    Frame runt = frame(ifp.lladdr(), kPeer, 14);
    runt.resize(bytes);
    arrive(runt);
  }
  arrive({});
  const IfData data = ifp.counters.read();
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(data.ipackets, 1U);
  EXPECT_EQ(data.ibytes, 14U);
  EXPECT_EQ(data.dropped(DropReason::too_short), 14U);
  EXPECT_EQ(data.ierrors, 14U);
}

// 10: every multicast was let in.
using Defect10 = Rig;
TEST_F(Defect10, a_group_is_heard_once_joined) {
  Ifnet& ifp = running();
  arrive(frame(kGroup, kPeer));
  EXPECT_EQ(received.packets.size(), 0U);
  EXPECT_EQ(dropped(ifp, DropReason::not_for_us), 1U);
  EXPECT_EQ(ifp.counters.read().imcasts, 0U);
  arrive(frame(kBroadcast, kPeer));
  EXPECT_EQ(received.packets.size(), 1U) << "broadcast always";
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0);
  arrive(frame(kGroup, kPeer));
  EXPECT_EQ(received.packets.size(), 2U);
  ASSERT_EQ(error_of(ifp.ioctl(DelMulti{MacRange::single(kGroup)})), 0);
  arrive(frame(kGroup, kPeer));
  EXPECT_EQ(received.packets.size(), 2U);
}

// 11: a change of groups or modes never reached the backend, and a range never meant all-multicast.
using Defect11 = Rig;
TEST_F(Defect11, every_change_of_the_filter_reaches_the_backend) {
  Ifnet& ifp = running();
  EXPECT_EQ(wire().filter.lladdr, ifp.lladdr());
  EXPECT_TRUE(wire().filter.groups.empty());
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0);
  EXPECT_EQ(wire().filter.groups, std::vector{MacRange::single(kGroup)});
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  EXPECT_TRUE(wire().filter.promisc);
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{ipv4_group({0, 0, 0, 0})})), 0);
  EXPECT_TRUE(wire().filter.allmulti);
  EXPECT_TRUE(ifp.is(IFF_ALLMULTI));
  ASSERT_EQ(error_of(ifp.ioctl(SetLladdr{kStranger})), 0);
  EXPECT_EQ(wire().filter.lladdr, kStranger);
}

// 12: on a medium that reflects, an interface heard itself.
using Defect12 = Rig;
TEST_F(Defect12, own_frames_that_come_back_are_dropped_on_a_medium_that_reflects) {
  wire().caps.reflects = true;
  Ifnet& ifp = running();
  arrive(frame(kBroadcast, ifp.lladdr()));
  EXPECT_EQ(received.packets.size(), 0U);
  EXPECT_EQ(dropped(ifp, DropReason::own_echo), 1U);
  arrive(frame(kBroadcast, kPeer));
  EXPECT_EQ(received.packets.size(), 1U);
}

TEST_F(Defect12, and_heard_where_the_medium_does_not_reflect) {
  Ifnet& ifp = running();
  arrive(frame(kBroadcast, ifp.lladdr()));
  EXPECT_EQ(received.packets.size(), 1U) << "then it is somebody else who uses our address: worth hearing";
}

// 13: no drop was ever counted.
class Defect13 : public Rig {
 protected:
  Defect13() : Rig({.pool = {.counts = {1, 0, 0, 0}, .external = 0}}) {}
};
TEST_F(Defect13, every_drop_has_its_counter) {
  Ifnet& ifp = running();
  arrive(frame(kStranger, kPeer));
  const MbufPtr last = domain.pool().get(60);
  arrive(frame(ifp.lladdr(), kPeer));
  wire().lose(DropReason::rx_overrun, 7);
  host.settle();
  IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::not_for_us), 1U);
  EXPECT_EQ(data.dropped(DropReason::no_mbuf), 1U);
  EXPECT_EQ(data.iqdrops, 8U);
  EXPECT_EQ(data.received(), 9U);
}

TEST_F(Defect13, what_the_rest_of_a_burst_was_for_an_interface_that_goes) {
  Ifnet& ifp = running();
  for (int i = 0; i < 3; ++i) wire().arrive(frame(ifp.lladdr(), kPeer));
  received.then = [&](Ifnet&) { ASSERT_EQ(destroy("virt0"), 0); };
  domain.poll({}, 64);
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(dropped(ifp, DropReason::not_running), 2U);
}

// 14: an oversized frame counted as received and vanished.
using Defect14 = Rig;
TEST_F(Defect14, an_oversized_frame_is_an_error_and_not_a_packet) {
  Ifnet& ifp = running();
  arrive(frame(ifp.lladdr(), kPeer, 1514));
  arrive(frame(ifp.lladdr(), kPeer, 1515));
  arrive(frame(ifp.lladdr(), kPeer, 9018));
  const IfData data = ifp.counters.read();
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(data.ipackets, 1U);
  EXPECT_EQ(data.ibytes, 1514U);
  EXPECT_EQ(data.ierrors, 2U);
  EXPECT_EQ(data.dropped(DropReason::too_long), 2U);
}

// 26: frames were held to 1500 bytes whatever the backend could carry.
using Defect26 = Rig;
TEST_F(Defect26, the_mtu_is_bounded_by_what_the_backend_carries) {
  wire().caps.frame_bytes_max = 9018;
  Ifnet& ifp = running();
  EXPECT_EQ(error_of(ifp.ioctl(SetMtu{9005})), EINVAL);
  ASSERT_EQ(error_of(ifp.ioctl(SetMtu{9004})), 0);
  arrive(frame(ifp.lladdr(), kPeer, 9018));
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 9018)), 0);
  EXPECT_EQ(wire().sent.size(), 1U);
}

TEST_F(Defect26, a_tag_is_extra) {
  Ifnet& ifp = running();
  Frame tagged = frame(ifp.lladdr(), kPeer, 1518);
  vif::store_be16(&tagged[12], kEtherTypeVlan);
  arrive(tagged);
  EXPECT_EQ(received.packets.size(), 1U);
  arrive(frame(ifp.lladdr(), kPeer, 1518));
  EXPECT_EQ(received.packets.size(), 1U);
}

}  // namespace
