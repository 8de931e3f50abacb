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

}  // namespace
