// SPDX-License-Identifier: BSD-2-Clause
// The wire's address and MTU change while linked: who outranks whom, and who is told.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;

class WireChanges : public Rig {};

TEST_F(WireChanges, follows_its_wire_unless_told_otherwise) {
  Ifnet& ifp = create("virt0");
  wire().caps.mtu_bytes = 9000;
  wire().caps.lladdr = kPeer;
  link(ifp, "sim:w");
  up(ifp);
  EXPECT_EQ(ifp.mtu_bytes(), 9000U);
  EXPECT_EQ(ifp.lladdr(), kPeer);

  wire().caps.mtu_bytes = 1280;
  wire().caps.lladdr = kStranger;
  wire().recapped();
  events.heard.clear();
  host.settle();
  EXPECT_EQ(ifp.mtu_bytes(), 1280U);
  EXPECT_EQ(ifp.lladdr(), kStranger);
  EXPECT_EQ(wire().filter.lladdr, kStranger) << "and the wire knows";
  EXPECT_EQ(events.heard, Strings{"virt0 up"});

  ASSERT_TRUE(ifp.ioctl(SetMtu{1400}));
  ASSERT_TRUE(ifp.ioctl(SetLladdr{kPeer}));
  wire().caps.mtu_bytes = 576;
  wire().recapped();
  host.settle();
  EXPECT_EQ(ifp.mtu_bytes(), 1400U);
  EXPECT_EQ(ifp.lladdr(), kPeer);

  wire().caps.frame_bytes_max = 1014;
  wire().recapped();
  host.settle();
  EXPECT_EQ(ifp.mtu_bytes(), 1000U) << "nobody can ask for more than the wire takes";
}

TEST_F(WireChanges, leaves_nothing_behind_of_a_wire_that_went) {
  Ifnet& ifp = create("virt0");
  const MacAddress made = ifp.lladdr();
  wire().caps.mtu_bytes = 9000;
  wire().caps.lladdr = kPeer;
  const auto is_as_made = [&] { return ifp.mtu_bytes() == 1500 && ifp.lladdr() == made; };
  link(ifp, "sim:w");
  EXPECT_FALSE(is_as_made());
  ASSERT_TRUE(softc("virt0").relink("sim:plain"));
  EXPECT_TRUE(is_as_made());
  ASSERT_TRUE(softc("virt0").relink("sim:w"));
  EXPECT_FALSE(is_as_made());
  unlink(ifp);
  EXPECT_TRUE(is_as_made());

  ASSERT_TRUE(ifp.ioctl(SetMtu{1400}));
  ASSERT_TRUE(ifp.ioctl(SetLladdr{kStranger}));
  for (const char* linkstr : {"sim:w", "sim:plain", "sim:w"}) {
    ASSERT_TRUE(softc("virt0").relink(linkstr));
    EXPECT_EQ(ifp.mtu_bytes(), 1400U) << "what was asked for stays";
    EXPECT_EQ(ifp.lladdr(), kStranger);
  }
  EXPECT_FALSE(softc("virt0").follows_lladdr());
  softc("virt0").follow_mtu();
  softc("virt0").follow_lladdr();
  EXPECT_EQ(ifp.mtu_bytes(), 9000U);
  EXPECT_EQ(ifp.lladdr(), kPeer);
  EXPECT_TRUE(softc("virt0").follows_lladdr());
}

}  // namespace
