// SPDX-License-Identifier: BSD-2-Clause
// The way in: the rules in their order, what a packet that is passed carries, and what the backend is told to let in.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;

class Receive : public Rig {
 protected:
  // What became of one frame: nullopt when it was passed up, else the one reason it was dropped for.
  std::optional<DropReason> fate(Ifnet& ifp, const Frame& whole) {
    const IfData before = ifp.counters.read();
    const std::size_t passed_before = received.packets.size();
    arrive(whole);
    const IfData after = ifp.counters.read();
    EXPECT_EQ(after.received() - before.received(), 1U) << "every frame is passed or dropped, once";
    std::optional<DropReason> reason;
    for (std::size_t i = 0; i < vif::kDropReasons; ++i) {
      if (after.drops[i] != before.drops[i]) reason = static_cast<DropReason>(i);
    }
    EXPECT_EQ(received.packets.size() - passed_before, reason ? 0U : 1U);
    return reason;
  }
  const PktHdr& last() const { return received.packets.back().hdr; }
};

class ReceiveRules : public Receive {
 protected:
  ReceiveRules() { wire().caps.reflects = true; }
};

// Each frame breaks the rule it is dropped for and every later one it can.
TEST_F(ReceiveRules, the_first_rule_that_matches_wins) {
  Ifnet& ifp = running();
  Frame runt = frame(kStranger, ifp.lladdr(), 14);
  runt.pop_back();
  EXPECT_EQ(fate(ifp, runt), DropReason::too_short);
  EXPECT_EQ(fate(ifp, frame(kStranger, ifp.lladdr(), 1515)), DropReason::too_long);
  EXPECT_EQ(fate(ifp, frame(kStranger, ifp.lladdr())), DropReason::own_echo);
  EXPECT_EQ(fate(ifp, frame(kStranger, kPeer)), DropReason::not_for_us);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer)), std::nullopt);
}

TEST_F(Receive, only_an_accepted_frame_costs_an_mbuf) {
  Ifnet& ifp = running();
  std::vector<MbufPtr> hoard;
  while (MbufPtr m = domain.pool().get(60)) hoard.push_back(std::move(m));
  const std::uint64_t refused = domain.pool().refused();
  EXPECT_EQ(fate(ifp, frame(kStranger, kPeer)), DropReason::not_for_us);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer, 1600)), DropReason::too_long);
  EXPECT_EQ(domain.pool().refused(), refused);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer)), DropReason::no_mbuf);
  hoard.clear();
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer)), std::nullopt);
}

TEST_F(Receive, unicast_broadcast_and_group_are_marked_and_counted) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, 0);
  EXPECT_EQ(fate(ifp, frame(kBroadcast, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_BCAST);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_MCAST);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.ipackets, 3U);
  EXPECT_EQ(data.ibytes, 180U);
  EXPECT_EQ(data.isegments, 3U);
  EXPECT_EQ(data.imcasts, 2U) << "broadcasts are multicasts too";
}

TEST_F(Receive, promiscuous_mode_marks_what_is_only_here_because_of_it) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  EXPECT_EQ(fate(ifp, frame(kStranger, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_PROMISC);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_PROMISC | M_MCAST);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, 0);
  EXPECT_EQ(fate(ifp, frame(kBroadcast, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_BCAST);
  ASSERT_EQ(error_of(ifp.ioctl(SetAllmulti{true})), 0);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), std::nullopt);
  EXPECT_EQ(last().flags, M_MCAST) << "all-multicast mode wants it for itself";
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{false})), 0);
  EXPECT_EQ(fate(ifp, frame(kStranger, kPeer)), DropReason::not_for_us);
}

TEST_F(Receive, the_protocols_do_not_see_what_only_promiscuous_mode_let_in) {
  Ifnet& ifp = running();
  ifp.set_input(nullptr);
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  arrive(frame(kStranger, kPeer));
  arrive(frame(ifp.lladdr(), kPeer));
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.ipackets, 2U);
  EXPECT_EQ(data.dropped(DropReason::promisc_only), 1U);
  EXPECT_EQ(data.dropped(DropReason::unknown_type), 1U);
  EXPECT_EQ(data.received(), 2U) << "what is dropped above the driver was received";
}

TEST_F(Receive, a_range_of_groups_or_all_multicast_lets_groups_in) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{ipv4_group({0, 0, 0, 0})})), 0);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), std::nullopt);
  ASSERT_EQ(error_of(ifp.ioctl(DelMulti{ipv4_group({0, 0, 0, 0})})), 0);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), DropReason::not_for_us);
  ASSERT_EQ(error_of(ifp.ioctl(SetAllmulti{true})), 0);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), std::nullopt);
  ASSERT_EQ(error_of(ifp.ioctl(SetAllmulti{false})), 0);
  EXPECT_EQ(fate(ifp, frame(kGroup, kPeer)), DropReason::not_for_us);
}

TEST_F(Receive, each_of_many_groups_is_found_and_its_neighbours_are_not) {
  Ifnet& ifp = running();
  const std::uint64_t base = kGroup.key();
  for (std::uint64_t i = 0; i < 200; i += 2) {
    const MacAddress group = MacAddress::from_key(base + (i * 7919) % 512);
    ASSERT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(group)})), 0);
  }
  std::uint64_t let_in = 0;
  for (std::uint64_t i = 0; i < 512; ++i) let_in += !fate(ifp, frame(MacAddress::from_key(base + i), kPeer));
  EXPECT_EQ(let_in, ifp.groups().entries().size());
}

TEST_F(Receive, a_new_address_counts_from_the_next_frame) {
  Ifnet& ifp = running();
  const MacAddress before = ifp.lladdr();
  ASSERT_EQ(error_of(ifp.ioctl(SetLladdr{kStranger})), 0);
  EXPECT_EQ(fate(ifp, frame(before, kPeer)), DropReason::not_for_us);
  EXPECT_EQ(fate(ifp, frame(kStranger, kPeer)), std::nullopt);
}

TEST_F(Receive, the_mtu_bounds_what_comes_in_from_the_next_frame_on) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(SetMtu{46})), 0);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer, 60)), std::nullopt);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer, 61)), DropReason::too_long);
  EXPECT_EQ(error_of(ifp.ioctl(SetMtu{45})), EINVAL);
  ASSERT_EQ(error_of(ifp.ioctl(SetMtu{9000})), 0);
  EXPECT_EQ(fate(ifp, frame(ifp.lladdr(), kPeer, 9014)), std::nullopt);
}

TEST_F(Receive, a_packet_carries_where_when_and_what_is_left_to_do) {
  Ifnet& ifp = running();
  const Offload offload{.flags = Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 16};
  const Frame whole = frame(ifp.lladdr(), kPeer);
  wire().arrive(whole, offload, 1'700'000'000'123'456'789);
  host.settle();
  ASSERT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(received.packets[0].bytes, whole);
  EXPECT_EQ(last().rcvif, ifp.index());
  EXPECT_EQ(last().timestamp_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(last().offload, offload);
}

TEST_F(Receive, a_super_frame_is_above_the_mtu_and_counts_as_one_frame_of_many_segments) {
  Ifnet& ifp = running();
  const Offload tcp{.gso_type = Offload::kGsoTcp4, .hdr_len = 54, .gso_size = 1448};
  wire().arrive(frame(ifp.lladdr(), kPeer, 54 + 44 * 1448 + 1), tcp);
  host.settle();
  ASSERT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(last().offload, tcp);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.ipackets, 1U);
  EXPECT_EQ(data.isegments, 45U);
  EXPECT_EQ(data.ibytes, 54U + 44U * 1448U + 1U);
}

TEST_F(Receive, the_ip_header_is_aligned) {
  class Aligned final : public IfInput {
   public:
    void input(Ifnet&, MbufPtr packet) override {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(packet->data() + kEtherHeaderBytes) % 4, 0U);
      EXPECT_GE(packet->headroom(), 4U) << "room for a tag";
    }
  } aligned;
  Ifnet& ifp = running();
  ifp.set_input(&aligned);
  for (const std::size_t bytes : {60U, 1514U}) arrive(frame(ifp.lladdr(), kPeer, bytes));
}

TEST_F(Receive, one_poll_delivers_what_its_budget_allows) {
  Ifnet& ifp = running();
  for (unsigned i = 0; i < 100; ++i) wire().arrive(frame(ifp.lladdr(), kPeer, 60, i));
  EXPECT_TRUE(domain.poll({}, 64));
  EXPECT_EQ(received.packets.size(), 64U);
  EXPECT_FALSE(domain.poll({}, 64));
  EXPECT_EQ(received.packets.size(), 100U);
  for (unsigned i = 0; i < 100; ++i) EXPECT_EQ(received.packets[i].bytes, frame(ifp.lladdr(), kPeer, 60, i));
}

using FilterHint = Rig;

TEST_F(FilterHint, is_given_before_the_first_frame_and_after_each_change_only) {
  Ifnet& ifp = create("virt0");
  const MacRange group = MacRange::single(kGroup);
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{group})), 0);
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(wire().calls, Strings{"open"});
  ASSERT_EQ(up(ifp), 0);
  EXPECT_EQ(wire().calls, (Strings{"open", "filter", "start"}));
  EXPECT_EQ(wire().filter.lladdr, ifp.lladdr());
  EXPECT_TRUE(wire().filter.promisc);
  EXPECT_EQ(wire().filter.groups, std::vector{group});

  wire().calls.clear();
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{group})), 0) << "joined twice";
  ASSERT_EQ(error_of(ifp.ioctl(DelMulti{group})), 0) << "left once";
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{false})), 0);
  ASSERT_EQ(error_of(ifp.ioctl(SetMtu{1400})), 0);
  EXPECT_EQ(error_of(ifp.ioctl(DelMulti{MacRange::single(kBroadcast)})), ENXIO);
  EXPECT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kPeer)})), EINVAL);
  EXPECT_TRUE(wire().calls.empty());

  ASSERT_EQ(error_of(ifp.ioctl(DelMulti{group})), 0);
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{false})), 0);
  EXPECT_EQ(wire().calls, (Strings{"filter", "filter"}));
  EXPECT_TRUE(wire().filter.groups.empty());
  EXPECT_FALSE(wire().filter.promisc);
}

TEST_F(FilterHint, a_new_link_gets_it_too) {
  Ifnet& ifp = running();
  ASSERT_EQ(error_of(ifp.ioctl(AddMulti{ipv6_group({})})), 0);
  ASSERT_EQ(down(ifp), 0);
  ASSERT_EQ(unlink(ifp), 0);
  ASSERT_EQ(link(ifp, "sim:other"), 0);
  ASSERT_EQ(up(ifp), 0);
  EXPECT_TRUE(wire("other").filter.allmulti);
  EXPECT_EQ(wire("other").filter.groups, std::vector{ipv6_group({})});
}

}  // namespace
