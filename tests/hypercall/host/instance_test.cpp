// SPDX-License-Identifier: BSD-2-Clause
// The pieces put together: one Instance, its schemes, its domains.
#include "hypercall/host/instance.hpp"

#include <gtest/gtest.h>

#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::test;

class TwoDomains : public SimInstance {
 protected:
  net::Ifnet& running(net::IfCloneTable& table, const std::string& linkstr, Collected& input) {
    net::Ifnet& ifp = **table.create("virt0");
    ifp.set_input(&input);
    EXPECT_TRUE(ifp.ioctl(net::SetLinkstr{linkstr}));
    EXPECT_TRUE(up(ifp));
    return ifp;
  }
  ~TwoDomains() override {
    host.settle();
    EXPECT_EQ(other.pool().in_use(), 0U);
  }
  net::Domain& other = host.add_domain();
  net::IfCloneTable& other_interfaces = instance.attach(other);
  Collected other_collected;
};

TEST_F(TwoDomains, talk_over_a_segment) {
  net::Ifnet& a = running(interfaces, "mem:lan", collected);
  net::Ifnet& b = running(other_interfaces, "mem:lan", other_collected);
  EXPECT_EQ(a.name(), "virt0");
  EXPECT_EQ(b.name(), "virt0") << "names are a domain's own";
  EXPECT_NE(a.lladdr(), b.lladdr());

  const Frame ping = ether(b.lladdr(), 0x88b5, counting(46), a.lladdr());
  const Frame pong = ether(a.lladdr(), 0x88b5, counting(50), b.lladdr());
  ASSERT_TRUE(a.transmit(domain.pool().copy_in(ping)));
  host.settle();
  ASSERT_EQ(other_collected.packets.size(), 1U);
  EXPECT_EQ(other_collected.packets[0].bytes, ping);
  EXPECT_EQ(other_collected.packets[0].header.timestamp_ns, host.clock.wall_ns());
  ASSERT_TRUE(b.transmit(other.pool().copy_in(pong)));
  host.settle();
  ASSERT_EQ(collected.packets.size(), 1U);
  EXPECT_EQ(collected.packets[0].bytes, pong);

  // The driver's filter: a broadcast yes, a stranger's no.
  ASSERT_TRUE(a.transmit(domain.pool().copy_in(ether(net::kBroadcast, 0x88b5, counting(46), a.lladdr()))));
  ASSERT_TRUE(a.transmit(domain.pool().copy_in(ether(kPeerMac, 0x88b5, counting(46), a.lladdr()))));
  host.settle();
  EXPECT_EQ(other_collected.packets.size(), 2U);
  EXPECT_EQ(b.counters.read().dropped(DropReason::not_for_us), 1U);
  EXPECT_EQ(b.counters.read().received(), a.counters.read().opackets);
}

TEST_F(TwoDomains, lose_nobody_s_count_when_one_goes_down_with_frames_on_the_way) {
  net::Ifnet& a = running(interfaces, "mem:lan", collected);
  net::Ifnet& b = running(other_interfaces, "mem:lan", other_collected);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(a.transmit(domain.pool().copy_in(ether(b.lladdr(), 0x88b5, counting(46), a.lladdr()))));
  }
  other.poll({}, 10);
  ASSERT_TRUE(down(b));
  EXPECT_EQ(other_collected.packets.size(), 10U);
  EXPECT_EQ(b.counters.read().dropped(DropReason::not_running), 20U);
  EXPECT_EQ(b.counters.read().received(), a.counters.read().opackets);
}

TEST_F(TwoDomains, carry_offload_across) {
  net::Ifnet& a = running(interfaces, "mem:lan", collected);
  net::Ifnet& b = running(other_interfaces, "mem:lan", other_collected);
  net::MbufPtr super = domain.pool().copy_in(ether(b.lladdr(), 0x0800, counting(1400), a.lladdr()));
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoTcp4,
                             .hdr_len = 54,
                             .gso_size = 500,
                             .csum_start = 34,
                             .csum_offset = 16};
  super->pkthdr.offload = offload;
  ASSERT_TRUE(a.transmit(std::move(super)));
  host.settle();
  ASSERT_EQ(other_collected.packets.size(), 1U);
  EXPECT_EQ(other_collected.packets[0].header.offload, offload);
  EXPECT_EQ(b.counters.read().isegments, 3U);
}

TEST_F(TwoDomains, are_taken_down_with_the_instance) {
  net::Domain& third = host.add_domain();
  {
    host::Instance short_lived({host.clock, files});
    net::Ifnet& ifp = running(short_lived.attach(third), "null:,rx=5", collected);
    host.settle();
    EXPECT_EQ(collected.packets.size(), 5U);
    ASSERT_TRUE(ifp.is(net::IFF_RUNNING));
  }
  EXPECT_TRUE(third.interfaces().empty());
  EXPECT_EQ(third.pool().in_use(), 0U);
}

TEST_F(TwoDomains, know_the_schemes_there_are) {
  for (const char* scheme : {"impair", "mem", "null", "pcap", "tap"}) {
    EXPECT_NE(instance.schemes().schemes().find(scheme), std::string::npos) << scheme;
  }
  ASSERT_TRUE(instance.schemes().add("mine", [](const drv::Linkstr&, const drv::LinkOwner& owner) {
    return Result<drv::OpenLink>(fail(EPERM, "not for " + owner.ifname));
  }));
  net::Ifnet& ifp = **interfaces.create("virt3");
  const Status linked = ifp.ioctl(net::SetLinkstr{"mine:"});
  EXPECT_EQ(linked.error().number(), EPERM);
  EXPECT_EQ(linked.error().text, "not for virt3");
  EXPECT_NE(ifp.ioctl(net::SetLinkstr{"nosuch:x"}).error().text.find(instance.schemes().schemes()), std::string::npos);
}

TEST_F(TwoDomains, without_a_loop_have_no_links_that_wait_for_the_host) {
  net::Ifnet& ifp = **interfaces.create("virt3");
  const Status linked = ifp.ioctl(net::SetLinkstr{"tap:x"});
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().number(), ENOTSUP);
  EXPECT_NE(linked.error().text.find("virt3 has no loop"), std::string::npos) << linked.error().text;
}

}  // namespace
