// SPDX-License-Identifier: BSD-2-Clause
// Every request an Ethernet interface answers: what it changes, whether the driver must reprogram, and that a refusal
// changes nothing.
#include <gtest/gtest.h>

#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

// What a user could see of an interface.
struct Seen {
  explicit Seen(const Ifnet& ifp)
      : flags(ifp.flags()),
        mtu_bytes(ifp.mtu_bytes()),
        lladdr(ifp.lladdr()),
        groups(ifp.groups().entries().size()),
        lastchange(ifp.counters.read().lastchange) {}
  friend bool operator==(const Seen&, const Seen&) = default;
  std::uint32_t flags, mtu_bytes;
  MacAddress lladdr;
  std::size_t groups;
  Time lastchange;
};

class EtherIoctl : public testing::Test, protected OneInterface {
 protected:
  Reprogram ask(const IfRequest& request) {
    const Result<Reprogram> done = ether_ioctl(ifp, request);
    EXPECT_TRUE(done) << done.error().text;
    return done ? *done : Reprogram::no;
  }
  // The errno of the refusal, which has changed nothing and names the interface or what was wrong.
  int refused(const IfRequest& request) {
    const Seen before(ifp);
    const Result<Reprogram> done = ether_ioctl(ifp, request);
    EXPECT_EQ(Seen(ifp), before);
    if (done) return 0;
    EXPECT_FALSE(done.error().text.empty());
    return done.error().number();
  }
  std::uint32_t with(std::uint32_t flags) const { return ifp.flags() | flags; }
  std::uint32_t without(std::uint32_t flags) const { return ifp.flags() & ~flags; }
};

TEST_F(EtherIoctl, refuses_each_flag_a_user_may_not_change) {
  ASSERT_EQ(ask(SetFlags{with(IFF_UP)}), Reprogram::no);
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
    if ((bit & kUserFlags) != 0) continue;
    EXPECT_EQ(refused(SetFlags{ifp.flags() ^ bit}), EINVAL) << std::hex << bit;
    EXPECT_EQ(refused(SetFlags{(ifp.flags() ^ bit) & ~std::uint32_t{IFF_UP}}), EINVAL)
        << "nor together with a good one";
  }
}

TEST_F(EtherIoctl, runs_the_driver_while_up) {
  EXPECT_EQ(ask(SetFlags{with(IFF_UP)}), Reprogram::no);
  EXPECT_TRUE(ifp.is(IFF_UP) && ifp.is(IFF_RUNNING));
  EXPECT_EQ(ask(SetFlags{ifp.flags()}), Reprogram::no);
  EXPECT_EQ(ask(InitAddress{}), Reprogram::no);
  EXPECT_EQ(driver.inits, 1) << "up already";
  EXPECT_EQ(ask(SetFlags{without(IFF_UP)}), Reprogram::no);
  EXPECT_FALSE(ifp.is(IFF_UP) || ifp.is(IFF_RUNNING));
  EXPECT_EQ(driver.stops, 1);
  EXPECT_EQ(ask(SetFlags{ifp.flags()}), Reprogram::no);
  EXPECT_EQ(driver.stops, 1) << "down already";
}

// Defect 3 of the seed: IFF_UP stayed, and the interface could not be removed.
TEST_F(EtherIoctl, is_not_up_when_the_driver_would_not_start) {
  host.run_until(Time(100));
  driver.init_error = fail(ENXIO, "sim0 has no link");
  EXPECT_EQ(refused(SetFlags{with(IFF_UP)}), ENXIO);
  EXPECT_EQ(refused(SetFlags{with(IFF_UP | IFF_DEBUG)}), ENXIO);
  EXPECT_EQ(refused(InitAddress{}), ENXIO);
  driver.init_error.reset();
  EXPECT_EQ(ask(SetFlags{with(IFF_UP)}), Reprogram::no);
  EXPECT_EQ(ifp.counters.read().lastchange, Time(100));
}

TEST_F(EtherIoctl, tells_a_running_driver_of_its_own_flags) {
  EXPECT_EQ(ask(SetFlags{with(IFF_LINK0)}), Reprogram::no) << "not running: if_init will look";
  ASSERT_TRUE(up());
  EXPECT_EQ(ask(SetFlags{with(IFF_LINK1)}), Reprogram::yes);
  EXPECT_EQ(ask(SetFlags{without(IFF_LINK0)}), Reprogram::yes);
  EXPECT_EQ(driver.inits, 1);
}

TEST_F(EtherIoctl, brings_the_interface_up_with_its_first_address) {
  EXPECT_EQ(ask(InitAddress{}), Reprogram::no);
  EXPECT_TRUE(ifp.is(IFF_UP) && ifp.is(IFF_RUNNING));
}

TEST_F(EtherIoctl, takes_an_mtu_from_46_to_the_backends_maximum) {
  ifp.set_mtu_max(9000);
  for (const std::uint32_t mtu : {46U, 1500U, 9000U}) {
    EXPECT_EQ(ask(SetMtu{mtu}), Reprogram::no);
    EXPECT_EQ(ifp.mtu_bytes(), mtu);
  }
  for (const std::uint32_t mtu : {0U, 45U, 9001U, UINT32_MAX}) EXPECT_EQ(refused(SetMtu{mtu}), EINVAL);
}

// The largest capture the issue asks for: an MTU of 262130 and 14 bytes of header are 262144.
TEST_F(EtherIoctl, takes_the_largest_mtu_a_capture_can_need) {
  EXPECT_EQ(ask(SetMtu{262'130}), Reprogram::no);
  EXPECT_EQ(refused(SetMtu{262'131}), EINVAL);
}

TEST_F(EtherIoctl, takes_a_unicast_address_and_asks_for_the_filter) {
  EXPECT_EQ(ask(SetLladdr{kPeerMac}), Reprogram::yes);
  EXPECT_EQ(ifp.lladdr(), kPeerMac);
  for (const MacAddress& wrong : {kBroadcast, kGroupMac}) EXPECT_EQ(refused(SetLladdr{wrong}), EINVAL);
}

TEST_F(EtherIoctl, joins_and_leaves_groups) {
  const MacRange group = MacRange::single(kGroupMac);
  EXPECT_EQ(ask(AddMulti{group}), Reprogram::yes);
  EXPECT_EQ(ask(AddMulti{group}), Reprogram::no);
  EXPECT_EQ(ask(DelMulti{group}), Reprogram::no);
  EXPECT_EQ(ask(DelMulti{group}), Reprogram::yes);
  EXPECT_EQ(refused(DelMulti{group}), ENXIO);
  EXPECT_EQ(refused(AddMulti{MacRange::single(kPeerMac)}), EINVAL);
  EXPECT_FALSE(ifp.is(IFF_ALLMULTI)) << "single groups can be matched";
}

// A range cannot be matched, so all multicast is let in while there is one, or somebody asked for all.
TEST_F(EtherIoctl, is_allmulti_while_a_range_is_joined_or_asked_to_be) {
  const MacRange range = ipv4_group({0, 0, 0, 0});
  EXPECT_EQ(ask(AddMulti{range}), Reprogram::yes);
  EXPECT_TRUE(ifp.is(IFF_ALLMULTI));
  EXPECT_EQ(ask(SetAllmulti{true}), Reprogram::yes);
  EXPECT_EQ(ask(DelMulti{range}), Reprogram::yes);
  EXPECT_TRUE(ifp.is(IFF_ALLMULTI)) << "still asked for";
  EXPECT_EQ(ask(SetAllmulti{true}), Reprogram::no);
  EXPECT_EQ(ask(SetAllmulti{false}), Reprogram::no);
  EXPECT_TRUE(ifp.is(IFF_ALLMULTI)) << "twice on, once off";
  EXPECT_EQ(ask(SetAllmulti{false}), Reprogram::yes);
  EXPECT_FALSE(ifp.is(IFF_ALLMULTI));
  EXPECT_EQ(refused(SetAllmulti{false}), EINVAL);
}

TEST_F(EtherIoctl, counts_promiscuous_mode_also_while_down) {
  EXPECT_EQ(ask(SetPromisc{true}), Reprogram::yes);
  EXPECT_EQ(ask(SetPromisc{true}), Reprogram::no);
  ASSERT_TRUE(up());
  EXPECT_EQ(ask(SetPromisc{false}), Reprogram::no);
  EXPECT_TRUE(ifp.is(IFF_PROMISC));
  EXPECT_EQ(ask(SetPromisc{false}), Reprogram::yes);
  EXPECT_FALSE(ifp.is(IFF_PROMISC));
  EXPECT_EQ(refused(SetPromisc{false}), EINVAL);
}

TEST_F(EtherIoctl, leaves_link_strings_to_drivers_that_have_them) {
  EXPECT_EQ(refused(SetLinkstr{"mem:lan0"}), ENOTTY);
  EXPECT_EQ(refused(UnsetLinkstr{}), ENOTTY);
}

TEST_F(EtherIoctl, forgets_groups_at_detach) {
  ask(AddMulti{ipv6_group({})});
  ask(AddMulti{MacRange::single(kGroupMac)});
  ether_ifdetach(ifp);
  EXPECT_TRUE(ifp.groups().entries().empty());
  EXPECT_FALSE(ifp.is(IFF_ALLMULTI));
}

}  // namespace
