// SPDX-License-Identifier: BSD-2-Clause
// An interface as the stack uses it: transmit and its refusals, the queue, link state, modes that are counted.
#include "netstack/ifnet.hpp"

#include <gtest/gtest.h>

#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

class IfnetTest : public testing::Test, protected OneInterface {
 protected:
  ~IfnetTest() override {
    ifp.purge(DropReason::tx_down);
    EXPECT_EQ(pool.in_use(), 0U) << "an mbuf did not come back";
  }
  Status send(const Frame& frame) { return ifp.transmit(pool.copy_in(frame)); }
};

const Frame kSmall = ether(kPeerMac, 0x0800, counting(46), kOurMac);

TEST_F(IfnetTest, starts_as_a_broadcast_interface_of_unknown_link_state) {
  EXPECT_EQ(ifp.name(), "sim0");
  EXPECT_EQ(ifp.flags(), std::uint32_t{IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST});
  EXPECT_EQ(ifp.mtu_bytes(), 1500U);
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  EXPECT_EQ(ifp.lladdr(), kOurMac);
}

// The numbers of NetBSD's net/if.h, which the C interface gives away.
TEST_F(IfnetTest, has_the_flag_numbers_of_bsd) {
  EXPECT_EQ(IFF_UP | IFF_BROADCAST | IFF_RUNNING | IFF_SIMPLEX | IFF_MULTICAST, 0x8843);
  EXPECT_EQ(IFF_PROMISC | IFF_ALLMULTI | IFF_OACTIVE, 0x0700);
  EXPECT_EQ(IFF_LINK0 | IFF_LINK1 | IFF_LINK2 | IFF_NOARP | IFF_POINTOPOINT | IFF_LOOPBACK | IFF_DEBUG, 0x709c);
}

TEST_F(IfnetTest, hands_frames_to_the_driver_in_order_and_unchanged) {
  ASSERT_TRUE(up());
  ASSERT_TRUE(send(kSmall));
  ASSERT_TRUE(send(arp_request()));
  EXPECT_EQ(driver.sent, (std::vector<Frame>{kSmall, arp_request()}));
}

TEST_F(IfnetTest, marks_broadcast_and_multicast_frames) {
  ASSERT_TRUE(up());
  ASSERT_TRUE(send(kSmall));
  ASSERT_TRUE(send(arp_request()));
  ASSERT_TRUE(send(ether(kGroupMac, 0x0800, counting(46))));
  EXPECT_EQ(driver.sent_flags, (std::vector<std::uint16_t>{0, M_BCAST, M_MCAST}));
}

TEST_F(IfnetTest, refuses_frames_unless_up_and_running) {
  EXPECT_EQ(send(kSmall).error().number(), ENETDOWN);
  ifp.set_flag(IFF_RUNNING, true);
  EXPECT_EQ(send(kSmall).error().number(), ENETDOWN) << "RUNNING but not UP";
  ASSERT_TRUE(up());
  ifp.set_flag(IFF_RUNNING, false);
  EXPECT_EQ(send(kSmall).error().number(), ENETDOWN) << "UP but not RUNNING";
  EXPECT_EQ(dropped(DropReason::tx_down), 3U);
  EXPECT_EQ(driver.starts, 0);
}

TEST_F(IfnetTest, refuses_frames_without_a_whole_header) {
  ASSERT_TRUE(up());
  EXPECT_EQ(send(Frame(13)).error().number(), EINVAL);
  EXPECT_EQ(send({}).error().number(), EINVAL);
  EXPECT_EQ(dropped(DropReason::tx_too_short), 2U);
  EXPECT_TRUE(send(Frame(14)));
}

TEST_F(IfnetTest, refuses_frames_above_the_mtu_but_gives_a_tag_four_bytes_more) {
  ASSERT_TRUE(up());
  EXPECT_TRUE(send(ether(kPeerMac, 0x0800, Frame(1500))));
  EXPECT_EQ(send(ether(kPeerMac, 0x0800, Frame(1501))).error().number(), EMSGSIZE);
  EXPECT_TRUE(send(tagged(ether(kPeerMac, 0x0800, Frame(1500)), 5)));
  EXPECT_TRUE(send(tagged(ether(kPeerMac, 0x0800, Frame(1500)), 5, kEtherTypeQinq)));
  EXPECT_EQ(send(tagged(ether(kPeerMac, 0x0800, Frame(1501)), 5)).error().number(), EMSGSIZE);
  EXPECT_EQ(dropped(DropReason::tx_too_long), 2U);
}

TEST_F(IfnetTest, takes_a_super_frame_above_the_mtu) {
  ASSERT_TRUE(up());
  MbufPtr m = pool.copy_in(ether(kPeerMac, 0x0800, Frame(40'000)));
  m->pkthdr.offload = {.gso_type = Offload::kGsoTcp4, .hdr_len = 54, .gso_size = 1448};
  EXPECT_TRUE(ifp.transmit(std::move(m)));
  EXPECT_EQ(driver.sent.size(), 1U);
}

TEST_F(IfnetTest, reads_the_header_of_a_chain_cut_anywhere) {
  ASSERT_TRUE(up());
  for (const std::size_t piece : {1U, 5U, 13U}) ASSERT_TRUE(ifp.transmit(chain(pool, arp_request(), piece)));
  EXPECT_EQ(driver.sent, std::vector<Frame>(3, arp_request()));
  EXPECT_EQ(driver.sent_flags, std::vector<std::uint16_t>(3, M_BCAST));
}

TEST_F(IfnetTest, queues_256_frames_and_refuses_the_next) {
  ASSERT_TRUE(up());
  driver.accepts = 0;
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(send(kSmall));
  EXPECT_EQ(send(kSmall).error().number(), ENOBUFS);
  EXPECT_EQ(dropped(DropReason::queue_full), 1U);
  EXPECT_EQ(ifp.snd.size(), 256U);
  EXPECT_EQ(ifp.counters.read().oqdrops, 1U);
}

TEST_F(IfnetTest, does_not_start_a_driver_that_said_oactive) {
  ASSERT_TRUE(up());
  ifp.set_flag(IFF_OACTIVE, true);
  ASSERT_TRUE(send(kSmall));
  EXPECT_EQ(driver.starts, 0);
  ifp.set_flag(IFF_OACTIVE, false);
  ASSERT_TRUE(send(kSmall));
  EXPECT_EQ(driver.sent.size(), 2U);
}

TEST_F(IfnetTest, accounts_for_every_frame_it_was_handed) {
  (void)send(kSmall);
  ASSERT_TRUE(up());
  driver.accepts = 3;
  for (int i = 0; i < 300; ++i) (void)send(kSmall);
  (void)send(Frame(5));
  (void)send(ether(kPeerMac, 0x0800, Frame(2000)));
  EXPECT_EQ(ifp.counters.read().offered() + ifp.snd.size(), 303U);
  ASSERT_TRUE(down());
  EXPECT_EQ(ifp.snd.size(), 0U);
  EXPECT_EQ(ifp.counters.read().offered(), 303U);
  EXPECT_EQ(ifp.counters.read().opackets, 3U);
}

TEST_F(IfnetTest, passes_packets_to_whoever_took_over_its_input) {
  struct Bridge final : IfInput {
    void input(Ifnet&, MbufPtr packet) override { got.push_back(flat(*packet)); }
    std::vector<Frame> got;
  } bridge;
  ifp.set_input(&bridge);
  ifp.input(pool.copy_in(kSmall));
  EXPECT_EQ(bridge.got, std::vector<Frame>{kSmall}) << "whole, Ethernet header included";
  ifp.set_input(nullptr);
  ifp.input(pool.copy_in(kSmall));
  EXPECT_EQ(dropped(DropReason::unknown_type), 1U) << "ether_input again";
}

// --- link state ---

TEST_F(IfnetTest, tells_each_change_of_link_state_once) {
  struct Listener final : IfEventListener {
    void if_arrived(Ifnet&) override {}
    void if_departed(Ifnet&) override {}
    void if_link_changed(Ifnet& changed) override { states.push_back(changed.link_state()); }
    std::vector<LinkState> states;
  } listener;
  domain.listen(listener);
  constexpr auto kUnknown = LinkState::unknown, kDown = LinkState::down, kUp = LinkState::up;
  for (const LinkState state : {kUnknown, kUp, kUp, kDown, kDown, kUp, kUnknown}) ifp.set_link_state(state);
  domain.unlisten(listener);
  EXPECT_EQ(listener.states, (std::vector<LinkState>{kUp, kDown, kUp, kUnknown}));
}

TEST_F(IfnetTest, remembers_when_its_link_last_changed) {
  host.run_until(Time(500));
  ifp.set_link_state(LinkState::up);
  host.run_until(Time(900));
  ifp.set_link_state(LinkState::up);
  EXPECT_EQ(ifp.counters.read().lastchange, Time(500)) << "a repeat is no change";
}

TEST_F(IfnetTest, has_the_mtu_it_was_given_as_far_as_the_maximum_allows) {
  ifp.set_mtu_max(1000);
  EXPECT_EQ(ifp.mtu_bytes(), 1000U);
  ifp.set_mtu_max(9000);
  EXPECT_EQ(ifp.mtu_bytes(), Ifnet::kMtuDefault);
}

}  // namespace
