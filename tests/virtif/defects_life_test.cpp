// SPDX-License-Identifier: BSD-2-Clause
// The defects of NetBSD's if_virt.c 1.52 in an interface's life, by their numbers: what the driver does instead, as its
// user sees it. mutants.txt says how each would come back.
#include <bit>
#include <set>

#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::fail;

// 1: unclone freed the interface, then detached it.
using Defect01 = Rig;
TEST_F(Defect01, unclone_detaches_before_it_closes_and_frees) {
  Ifnet& ifp = running();
  bool whole_when_told = false;
  events.then = [&](Ifnet& gone, const std::string& what) {
    if (what != "departed") return;
    whole_when_told =
        gone.name() == "virt0" && wire().open && !wire().started && domain.interfaces() == std::vector{&ifp};
  };
  EXPECT_EQ(destroy("virt0"), 0);
  EXPECT_TRUE(whole_when_told) << "the last who hear of an interface find it stopped, but not yet gone";
  EXPECT_TRUE(domain.interfaces().empty());
  EXPECT_EQ(wire().calls, (Strings{"stop", "close"}));
}

// 2: a refused link string was freed but kept: it could still be read, and a retry said EBUSY for ever.
using Defect02 = Rig;
TEST_F(Defect02, a_refused_link_string_leaves_no_trace_and_a_retry_works) {
  Ifnet& ifp = create("virt0");
  const auto& sc = softc("virt0");
  wire().open_error = fail(ENOENT, "no such device");
  EXPECT_EQ(link(ifp, "sim:w"), ENOENT);
  EXPECT_EQ(sc.linkstr(), std::nullopt);
  EXPECT_EQ(sc.caps(), nullptr);
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  EXPECT_EQ(link(ifp, "nonsense"), EINVAL);
  EXPECT_EQ(sc.linkstr(), std::nullopt);
  EXPECT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(sc.linkstr(), "sim:w");
}

// 3: bringing up an interface that could not start left it UP, and so never removable.
using Defect03 = Rig;
TEST_F(Defect03, an_interface_that_would_not_start_is_not_up) {
  Ifnet& ifp = create("virt0");
  EXPECT_EQ(up(ifp), ENXIO) << "unlinked";
  EXPECT_FALSE(ifp.is(IFF_UP));
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  wire().start_error = fail(EIO, "the cable is on fire");
  EXPECT_EQ(up(ifp), EIO);
  EXPECT_FALSE(ifp.is(IFF_UP));
  EXPECT_FALSE(ifp.is(IFF_RUNNING));
  EXPECT_EQ(up(ifp), 0);
  EXPECT_EQ(destroy("virt0"), 0);
}

// 4: destroying an interface that is UP said EBUSY and made it unusable.
using Defect04 = Rig;
TEST_F(Defect04, an_interface_that_is_up_can_be_destroyed) {
  running();
  EXPECT_EQ(destroy("virt0"), 0);
  EXPECT_FALSE(wire().open);
  EXPECT_EQ(table->find("virt0"), nullptr);
  running();
}

// 5: destroying an interface that was never linked called the backend with a null pointer.
using Defect05 = Rig;
TEST_F(Defect05, an_interface_that_was_never_linked_can_be_destroyed) {
  create("virt0");
  EXPECT_EQ(destroy("virt0"), 0);
  EXPECT_EQ(events.heard, (Strings{"virt0 arrived", "virt0 departed"}));
  EXPECT_TRUE(wire().calls.empty());
}

// 6: IFLINKSTR_UNSET panicked.
using Defect06 = Rig;
TEST_F(Defect06, an_interface_can_be_unlinked_and_linked_again) {
  Ifnet& ifp = running();
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(unlink(ifp), 0);
  EXPECT_FALSE(wire().open);
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  EXPECT_EQ(link(ifp, "sim:other"), 0);
  EXPECT_EQ(up(ifp), 0);
  EXPECT_TRUE(wire("other").started);
}

// 20: stop cleared a flag; the backend went on receiving and the queue stayed full.
using Defect20 = Rig;
TEST_F(Defect20, stop_stops_the_backend_and_empties_the_queue) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, vif::drv::SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(domain.pool().in_use(), 1U);
  ASSERT_EQ(down(ifp), 0);
  EXPECT_FALSE(wire().started);
  EXPECT_EQ(domain.pool().in_use(), 0U);
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 1U);
}

// 21: a clone that failed leaked, and wrote into what it had freed.
class Defect21 : public Rig {
 protected:
  Defect21() : Rig({.interfaces_max = 1}) {}
};
TEST_F(Defect21, a_clone_that_fails_leaves_the_others_alone) {
  Ifnet& ifp = running();
  auto refused = table->create("virt1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), ENOSPC);
  EXPECT_EQ(table->find("virt1"), nullptr);
  arrive(frame(ifp.lladdr(), kPeer));
  EXPECT_EQ(received.packets.size(), 1U) << "the interface that exists still receives";
  ASSERT_EQ(destroy("virt0"), 0);
  create("virt1");
}

// 22: the link string was never freed. Here a leak would be the sanitizer's find; what a user sees is that it is gone.
using Defect22 = Rig;
TEST_F(Defect22, the_link_string_goes_with_the_link) {
  Ifnet& ifp = create("virt0");
  const auto& sc = softc("virt0");
  for (int i = 0; i < 3; ++i) {
    const std::string linkstr = "sim:" + std::string(2000, static_cast<char>('a' + i));
    ASSERT_EQ(link(ifp, linkstr), 0);
    EXPECT_EQ(sc.linkstr(), linkstr);
    ASSERT_EQ(unlink(ifp), 0);
    EXPECT_EQ(sc.linkstr(), std::nullopt);
  }
}

// 23: 8 random bits and the unit: the same unit in twenty processes had the same address in two of them.
using Defect23 = Rig;
TEST_F(Defect23, addresses_differ_in_at_least_forty_bits_of_chance) {
  constexpr int kInstances = 20'000;
  std::set<MacAddress> seen;
  std::uint64_t ones = 0, zeros = 0;
  for (std::uint64_t instance = 0; instance < kInstances; ++instance) {
    Ifnet& ifp = create("virt0");
    EXPECT_EQ(ifp.lladdr().octets[0] & 3, 2) << "unicast, locally administered";
    seen.insert(ifp.lladdr());
    ones |= ifp.lladdr().key();
    zeros |= ~ifp.lladdr().key();
    ASSERT_EQ(destroy("virt0"), 0);
    events.heard.clear();
  }
  EXPECT_EQ(seen.size(), kInstances);
  EXPECT_GE(std::popcount(ones & zeros & 0xffff'ffff'ffff), 40);
}

TEST_F(Defect23, the_user_may_set_another_and_keeps_it) {
  Ifnet& ifp = create("virt0");
  wire().caps.lladdr = kStranger;
  ASSERT_EQ(error_of(ifp.ioctl(SetLladdr{kPeer})), 0);
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(ifp.lladdr(), kPeer);
}

// 24: a second link panicked.
using Defect24 = Rig;
TEST_F(Defect24, a_second_link_is_refused) {
  Ifnet& ifp = create("virt0");
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(link(ifp, "sim:other"), EBUSY);
  EXPECT_TRUE(wire().open);
  EXPECT_FALSE(wire("other").open);
}

// 25: why a link could not be made was a number on the console.
using Defect25 = Rig;
TEST_F(Defect25, the_backends_reason_reaches_the_user) {
  Ifnet& ifp = create("virt0");
  wire().open_error = fail(EPERM, "opening w needs CAP_NET_ADMIN");
  const Status refused = ifp.ioctl(SetLinkstr{"sim:w"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number(), EPERM);
  EXPECT_EQ(refused.error().text, "opening w needs CAP_NET_ADMIN");
  EXPECT_NE(ifp.ioctl(SetLinkstr{"smi:w"}).error().text.find("known are sim"), std::string::npos);
}

// 27: the link state was always unknown, the speed always 10 Mb/s.
using Defect27 = Rig;
TEST_F(Defect27, link_state_and_speed_are_the_backends) {
  Ifnet& ifp = create("virt0");
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  wire().caps.baudrate = 25'000'000'000;
  ASSERT_EQ(link(ifp, "sim:w"), 0);
  EXPECT_EQ(ifp.link_state(), LinkState::up);
  EXPECT_EQ(ifp.baudrate(), 25'000'000'000U);
  ASSERT_EQ(up(ifp), 0);
  wire().carrier(LinkState::down);
  host.settle();
  EXPECT_EQ(ifp.link_state(), LinkState::down);
  ASSERT_EQ(down(ifp), 0);
  ASSERT_EQ(unlink(ifp), 0);
  EXPECT_EQ(ifp.link_state(), LinkState::unknown);
  EXPECT_EQ(ifp.baudrate(), 0U);
  EXPECT_EQ(events.heard, (Strings{"virt0 arrived", "virt0 up", "virt0 down", "virt0 unknown"}));
}

// 28: reading the link string back depended on the length of a buffer. Here it is a view of the whole of it.
using Defect28 = Rig;
TEST_F(Defect28, the_link_string_reads_back_whole) {
  Ifnet& ifp = create("virt0");
  const auto& sc = softc("virt0");
  EXPECT_EQ(sc.linkstr(), std::nullopt);
  const std::string longest = "sim:" + std::string(vif::drv::Linkstr::kBytesMax - 4, 'x');
  ASSERT_EQ(link(ifp, longest), 0);
  EXPECT_EQ(sc.linkstr(), longest);
  ASSERT_EQ(unlink(ifp), 0);
  EXPECT_EQ(link(ifp, longest + "x"), E2BIG);
}

// 29: only one of the ways to change a link looked whether the interface was running.
using Defect29 = Rig;
TEST_F(Defect29, the_link_of_a_running_interface_cannot_be_changed) {
  Ifnet& ifp = running();
  EXPECT_EQ(link(ifp, "sim:other"), EBUSY);
  EXPECT_EQ(unlink(ifp), EBUSY);
  EXPECT_TRUE(wire().started);
}

TEST_F(Defect29, nor_stopped_while_it_delivers) {
  Ifnet& ifp = running();
  int from_inside = 0;
  received.then = [&](Ifnet& at) { from_inside = down(at); };
  arrive(frame(ifp.lladdr(), kPeer));
  EXPECT_EQ(from_inside, EDEADLK);
  EXPECT_TRUE(ifp.is(IFF_RUNNING));
}

// 31: an interface could be seen before it was whole, and answered nothing until it was linked.
using Defect31 = Rig;
TEST_F(Defect31, an_interface_is_whole_when_it_arrives_and_can_be_set_up_before_it_is_linked) {
  MacAddress lladdr_on_arrival;
  std::uint32_t mtu_on_arrival = 0;
  events.then = [&](Ifnet& ifp, const std::string&) {
    lladdr_on_arrival = ifp.lladdr();
    mtu_on_arrival = ifp.mtu_bytes();
  };
  Ifnet& ifp = create("virt0");
  EXPECT_NE(lladdr_on_arrival, MacAddress{});
  EXPECT_EQ(lladdr_on_arrival, ifp.lladdr());
  EXPECT_EQ(mtu_on_arrival, 1500U);
  EXPECT_EQ(ifp.flags(), std::uint32_t{IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST});
  EXPECT_EQ(ifp.counters.read().received(), 0U);
  EXPECT_EQ(error_of(ifp.ioctl(SetMtu{9000})), 0);
  EXPECT_EQ(error_of(ifp.ioctl(SetFlags{ifp.flags() | IFF_DEBUG})), 0);
  EXPECT_EQ(error_of(ifp.ioctl(SetLladdr{kPeer})), 0);
  EXPECT_EQ(error_of(ifp.ioctl(AddMulti{MacRange::single(kGroup)})), 0);
  EXPECT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
}

// 32: the module could not be unloaded.
using Defect32 = Rig;
TEST_F(Defect32, the_module_can_be_unloaded_once_its_interfaces_are_gone) {
  create("virt0");
  EXPECT_EQ(error_of(module->fini()), EBUSY);
  ASSERT_EQ(destroy("virt0"), 0);
  EXPECT_EQ(error_of(module->fini()), 0);
  EXPECT_EQ(table->create("virt0").error().number(), EINVAL);
  auto again = vif::drv::VirtifModule::init(*table, wires, "virt");
  ASSERT_TRUE(again);
  module = std::move(*again);
  create("virt0");
}

// 35: a backend that refused to go left the interface unusable.
using Defect35 = Rig;
TEST_F(Defect35, a_backend_that_refuses_to_go_changes_nothing) {
  wire().may_refuse_dying = true;
  Ifnet& ifp = running();
  wire().dying_error = fail(EBUSY, "still counting");
  const Status refused = table->destroy("virt0");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "still counting");
  EXPECT_EQ(wire().calls, Strings{"dying"});
  arrive(frame(ifp.lladdr(), kPeer));
  EXPECT_EQ(received.packets.size(), 1U);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(wire().sent.size(), 1U);
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(unlink(ifp), EBUSY);
  EXPECT_TRUE(wire().open);
  wire().dying_error.reset();
  EXPECT_EQ(destroy("virt0"), 0);
}

}  // namespace
