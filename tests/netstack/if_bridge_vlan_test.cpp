// SPDX-License-Identifier: BSD-2-Clause
// A bridge that filters VLANs: ports 0 and 1 are access ports of VLAN 10 and 20, port 2 is a trunk of both.
#include "netstack/if_bridge.hpp"
#include "tests/netstack/bridge_rig.hpp"
#include "tests/support/super_frames.hpp"

namespace {

using namespace rig;
using vif::test::tagged;

BridgePortSettings access(std::uint16_t vlan) { return {.vlans = BridgeVlans::access(vlan)}; }
BridgePortSettings trunk(std::initializer_list<std::uint16_t> vlans) {
  BridgePortSettings settings{.vlans = {}};
  for (const std::uint16_t vlan : vlans) settings.vlans.add_tagged(vlan);
  return settings;
}

class BridgeVlanTest : public BridgeRig {
 protected:
  void SetUp() override {
    make({.filters_vlans = true});
    set(0, access(10));
    set(1, access(20));
    set(2, trunk({10, 20}));
  }
};

TEST_F(BridgeVlanTest, a_trunk_carries_tags_and_access_ports_do_not) {
  hear(0, frame(b, a));
  EXPECT_EQ(sent(1).size(), 0U) << "of another VLAN";
  EXPECT_EQ(sent(2), Frames{tagged(frame(b, a), 10)});
  EXPECT_EQ(bridge->find(10, a), ports[0]);
  hear(2, tagged(frame(a, b), 10));
  EXPECT_EQ(sent(0), Frames{frame(a, b)});
  hear(2, tagged(frame(kBroadcast, b), 20));
  EXPECT_EQ(sent(0).size(), 0U);
  EXPECT_EQ(sent(1), Frames{frame(kBroadcast, b)});
}

TEST_F(BridgeVlanTest, one_address_may_be_in_two_vlans_on_two_ports) {
  hear(0, frame(b, a));
  hear(1, frame(b, a));
  EXPECT_EQ(bridge->find(10, a), ports[0]);
  EXPECT_EQ(bridge->find(20, a), ports[1]);
}

TEST_F(BridgeVlanTest, refuses_what_is_of_no_vlan_of_the_port) {
  hear(2, frame(b, a));  // no PVID
  hear(2, tagged(frame(b, a), 30));
  hear(0, tagged(frame(b, a), 20));
  EXPECT_EQ(count(2, BridgeFate::vlan_refused), 2U);
  EXPECT_EQ(count(0, BridgeFate::vlan_refused), 1U);
  EXPECT_EQ(sent(), (Counts{0, 0, 0}));
  EXPECT_TRUE(bridge->stations().empty()) << "and learns nothing from it";
  Frame shortest = tagged(frame(b, a, 14), 10);
  hear(2, shortest);
  shortest.pop_back();
  hear(2, shortest);
  EXPECT_EQ(count(2, BridgeFate::bad_tag), 1U);
}

TEST_F(BridgeVlanTest, keeps_the_priority_of_a_tag) {
  hear(2, tagged(frame(b, a), 0xa00a));
  EXPECT_EQ(sent(0).size(), 1U);
  hear(0, tagged(frame(kBroadcast, b), 0xa000));  // a priority and no VLAN
  EXPECT_EQ(sent(2), Frames{tagged(frame(kBroadcast, b), 0xa00a)});
}

TEST_F(BridgeVlanTest, a_native_vlan_and_tagged_ones_on_a_port) {
  BridgePortSettings native = access(10);
  native.vlans.add_tagged(20);
  set(2, native);
  hear(2, frame(kBroadcast, a));
  EXPECT_EQ(sent(), (Counts{1, 0, 0}));
  hear(0, frame(kBroadcast, b));
  EXPECT_EQ(sent(2), Frames{frame(kBroadcast, b)});
  hear(1, frame(kBroadcast, b));
  EXPECT_EQ(sent(2), Frames{tagged(frame(kBroadcast, b), 20)});
}

TEST_F(BridgeVlanTest, service_tags_are_payload) {
  hear(0, tagged(frame(b, a), 77, kEtherTypeQinq));
  EXPECT_EQ(sent(2), Frames{tagged(tagged(frame(b, a), 77, kEtherTypeQinq), 10)});
}

TEST_F(BridgeVlanTest, forgets_who_was_in_a_vlan_that_a_port_leaves) {
  hear(2, tagged(frame(b, a), 10));
  ASSERT_EQ(error_of(bridge->add_static(ifp(2), 20, b)), 0);
  set(2, trunk({10}));
  EXPECT_EQ(bridge->find(10, a), ports[2]);
  EXPECT_EQ(bridge->find(20, b), nullptr);
  EXPECT_EQ(error_of(bridge->add_static(ifp(2), 20, b)), EINVAL);
}

TEST_F(BridgeVlanTest, says_what_is_wrong_with_vlans) {
  BridgePortSettings wrong = access(10);
  wrong.vlans.pvid = 11;
  EXPECT_EQ(error_of(bridge->set(ifp(0), wrong)), EINVAL) << "a PVID that is no member";
  wrong = access(10);
  wrong.vlans.untagged.set(11);
  EXPECT_EQ(error_of(bridge->set(ifp(0), wrong)), EINVAL);
  for (const std::uint16_t none : {std::uint16_t{0}, std::uint16_t{4095}})
    EXPECT_EQ(error_of(bridge->set(ifp(0), trunk({none}))), EINVAL) << none;
  EXPECT_EQ(bridge->settings(ifp(0))->vlans.pvid, 10) << "and all is as before";
  EXPECT_EQ(error_of(bridge->add(create("virt7"), wrong)), EINVAL);
}

// What is counted from the front of the frame moves with the tag.
TEST_F(BridgeVlanTest, super_frames_change_their_tag_too) {
  const vif::test::SuperFrame tcp = vif::test::super_frame({.payload_bytes = 1000, .gso_size = 0}, b, a);
  hear(0, tcp.bytes, tcp.offload);
  ASSERT_EQ(wire("2").sent.size(), 1U);
  EXPECT_TRUE(vif::test::WireSegment(wire("2").sent[0]).holds()) << "the tag shifted the checksum";
  EXPECT_EQ(EtherHeader::load_type(wire("2").sent[0].data()), kEtherTypeVlan);

  Frame with_tag = tagged(vif::test::super_frame({.payload_bytes = 1000, .gso_size = 0}, a, b).bytes, 10);
  Offload offload = tcp.offload;
  offload.prepended(kVlanTagBytes);
  sent();
  hear(2, with_tag, offload);
  ASSERT_EQ(wire("0").sent.size(), 1U);
  EXPECT_TRUE(vif::test::WireSegment(wire("0").sent[0]).holds());
  hear(2, with_tag, {.flags = Offload::kNeedsChecksum, .csum_start = 2, .csum_offset = 4});
  EXPECT_EQ(count(2, BridgeFate::bad_tag), 1U);
}

}  // namespace
