// SPDX-License-Identifier: BSD-2-Clause
// Ends of tunnels on the loopback interface of a namespace of their own: the whole way through the kernel's UDP.
#include "hypercall/vxlan/vxlan_link.hpp"

#include <gtest/gtest.h>
#include <netinet/udp.h>

#include "tests/hypercall/vxlan/tunnel_ends.hpp"
#include "tests/support/net_namespace.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

const net::MacAddress kA{{2, 0, 0, 0, 0, 0xa}}, kB{{2, 0, 0, 0, 0, 0xb}}, kC{{2, 0, 0, 0, 0, 0xc}};

WireFrame frame(const net::MacAddress& to, const net::MacAddress& from, std::size_t bytes = 60, unsigned number = 0) {
  WireFrame made{ether(to, 0x88b5, counting(bytes - 14), from)};
  made.bytes.back() = static_cast<std::byte>(number);
  return made;
}

class VxlanLink : public testing::Test {
 protected:
  void SetUp() override { VIF_NEEDS_NAMESPACE(network_); }

  NetNamespace network_;
};

TEST_F(VxlanLink, carries_frames_between_two_of_ours) {
  for (const std::string family : {"127.0.0.", "%5B::1%5D:500"}) {
    OurEnd a, b;
    const std::string at_a = family + "1", at_b = family + "2";
    a.start("vxlan:" + at_b + ",vni=7,local=" + at_a);
    b.start("vxlan:" + at_a + ",vni=7,local=" + at_b);
    WireFrames sent;
    for (unsigned i = 0; i < 300; ++i) sent.push_back(frame(kB, kA, i % 7 == 0 ? 1514 : 60, i));
    for (std::size_t i = 0; i < sent.size(); i += 50) {
      const WireFrames burst(sent.begin() + static_cast<long>(i), sent.begin() + static_cast<long>(i) + 50);
      EXPECT_EQ(a.link.send(burst).taken, 50U);
    }
    b.wait_until([&] { return b.sink.frames.size() >= sent.size(); });
    EXPECT_TRUE(b.take() == sent);
    EXPECT_EQ(b.link.send({frame(kA, kB)}).taken, 1U);
    a.wait_until([&] { return !a.sink.frames.empty(); });
    EXPECT_TRUE(a.take() == WireFrames{frame(kA, kB)});
    EXPECT_GT(b.sink.timestamps_ns.back(), 0);
    EXPECT_EQ(a.sink.losses, decltype(a.sink.losses){});
    EXPECT_EQ(b.sink.losses, decltype(b.sink.losses){});
  }
}

TEST_F(VxlanLink, says_what_it_found_and_how_much_fits) {
  OurEnd a;
  a.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  EXPECT_NE(a.link.link.chosen.find("UDP_SEGMENT"), std::string::npos) << a.link.link.chosen;
  EXPECT_NE(a.link.link.chosen.find("UDP_GRO"), std::string::npos) << a.link.link.chosen;
  EXPECT_EQ(a.link.link.caps.link_state, net::LinkState::up);
  EXPECT_EQ(a.link.link.caps.frame_bytes_max, 65'499U) << "an IPv4 datagram's 65,535 without its headers' 36";
  EXPECT_EQ(a.mtu(), 65'485U);
  OurEnd six;
  six.start("vxlan:::1,vni=7");
  EXPECT_EQ(six.link.link.caps.frame_bytes_max, 65'480U) << "the loopback interface's 65,536 without 56";
  NetNamespace::ip("link set lo mtu 1500");
  OurEnd narrow;
  narrow.start("vxlan:127.0.0.3,vni=7,local=127.0.0.3:4000");
  EXPECT_EQ(narrow.link.link.caps.frame_bytes_max, 1464U);
  EXPECT_EQ(narrow.mtu(), 1450U);
  OurEnd narrow6;
  narrow6.start("vxlan:::1,vni=7,port=4000");
  EXPECT_EQ(narrow6.mtu(), 1430U);
}

TEST_F(VxlanLink, sends_to_every_remote_until_it_knows_better) {
  PlainEnd two("127.0.0.2"), three("127.0.0.3");
  OurEnd one;
  one.start("vxlan:127.0.0.2+127.0.0.3,vni=7,local=127.0.0.1");
  const Frame unknown = frame(kB, kA).bytes, group = frame(net::kBroadcast, kA).bytes;
  one.link.send({{unknown}, {unknown}, {group}});
  const Frames all = {in_vxlan(unknown), in_vxlan(unknown), in_vxlan(group)};
  EXPECT_EQ(two.receive(), all);
  EXPECT_EQ(three.receive(), all);

  three.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  one.wait_until([&] { return one.sink.frames.size() == 1; });
  one.link.send({{unknown}, {group}});
  EXPECT_EQ(two.receive(), Frames{in_vxlan(group)});
  EXPECT_EQ(three.receive(), (Frames{in_vxlan(unknown), in_vxlan(group)}));

  two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));  // it moves
  one.wait_until([&] { return one.sink.frames.size() == 2; });
  one.link.send(unknown);
  EXPECT_EQ(two.receive(), Frames{in_vxlan(unknown)});
  EXPECT_TRUE(three.receive().empty());

  one.pass_time(290s);
  one.link.send(unknown);
  EXPECT_TRUE(three.receive().empty()) << "not yet";
  two.receive();
  one.pass_time(30s);
  one.link.send(unknown);
  EXPECT_EQ(two.receive().size(), 1U) << "forgotten";
  EXPECT_EQ(three.receive().size(), 1U);
}

// Frames of one length for stations here and there, in one burst, and everybody's order is kept.
TEST_F(VxlanLink, keeps_the_order_of_each_station) {
  PlainEnd two("127.0.0.2"), three("127.0.0.3");
  OurEnd one;
  one.start("vxlan:127.0.0.2+127.0.0.3,vni=7,local=127.0.0.1");
  two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  three.send("127.0.0.1", in_vxlan(frame(kA, kC).bytes));
  one.wait_until([&] { return one.sink.frames.size() == 2; });
  WireFrames burst;
  Frames to_two, to_three;
  for (unsigned i = 0; i < 150; ++i) {
    const unsigned turn = i % 5;
    burst.push_back(frame(turn == 4 ? net::kBroadcast : turn < 2 ? kB : kC, kA, 60 + (i % 11 == 0), i));
    if (turn != 2 && turn != 3) to_two.push_back(in_vxlan(burst.back().bytes));
    if (turn > 1) to_three.push_back(in_vxlan(burst.back().bytes));
  }
  EXPECT_EQ(one.link.send(burst).taken, burst.size());
  EXPECT_TRUE(two.receive() == to_two);
  EXPECT_TRUE(three.receive() == to_three);
}

TEST_F(VxlanLink, counts_what_it_refuses) {
  PlainEnd two("127.0.0.2"), stranger("127.0.0.9");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  const Frame inner = frame(kA, kB).bytes;
  two.send("127.0.0.1", hex("00000000 00000700") + inner);
  two.send("127.0.0.1", hex("080000"));
  two.send("127.0.0.1", {});
  two.send("127.0.0.1", hex("08000000 00000800") + inner);
  stranger.send("127.0.0.1", in_vxlan(inner));
  two.send("127.0.0.1", in_vxlan(inner));
  one.wait_until([&] { return one.sink.frames.size() == 1; });
  EXPECT_EQ(one.sink.lost(DropReason::rx_malformed), 3U);
  EXPECT_EQ(one.sink.lost(DropReason::other_network), 1U);
  EXPECT_EQ(one.sink.lost(DropReason::unknown_peer), 1U);
}

// The kernel of a VTEP elsewhere chooses its source port by the flow inside.
TEST_F(VxlanLink, takes_frames_from_any_port_of_a_remote) {
  PlainEnd two("127.0.0.2:50000");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  one.wait_until([&] { return one.sink.frames.size() == 1; });
}

TEST_F(VxlanLink, hears_nothing_while_stopped) {
  PlainEnd two("127.0.0.2");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  for (int i = 0; i < 5; ++i) two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  one.stop();
  EXPECT_EQ(one.sink.lost(DropReason::not_running), 5U) << "they had come";
  for (int i = 0; i < 5; ++i) two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  one.running = one.link.start();
  two.send("127.0.0.1", in_vxlan(frame(kA, kC).bytes));
  one.wait_until([&] { return !one.sink.frames.empty(); });
  EXPECT_TRUE(one.take() == WireFrames{frame(kA, kC)});
  EXPECT_EQ(one.sink.lost(DropReason::rx_overrun), 0U);
}

// More than the receive buffer holds: what is delivered and what is not add up.
TEST_F(VxlanLink, counts_what_its_buffer_had_no_room_for) {
  PlainEnd two("127.0.0.2");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  constexpr std::size_t kSent = 20'000;
  for (std::size_t i = 0; i < kSent; ++i) two.send("127.0.0.1", in_vxlan(frame(kA, kB, 1400).bytes));
  one.round();
  two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));  // bears the count
  one.wait_until([&] { return one.sink.frames.back().bytes.size() == 60; });
  EXPECT_GT(one.sink.lost(DropReason::rx_overrun), 0U);
  EXPECT_EQ(one.sink.frames.size() + one.sink.lost(DropReason::rx_overrun), kSent + 1);
}

TEST_F(VxlanLink, follows_the_way_to_its_remotes) {
  NetNamespace::ip("link set lo mtu 1500");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  EXPECT_EQ(one.mtu(), 1450U);
  NetNamespace::ip("link set lo mtu 9000");
  one.pass_time(10s);
  EXPECT_EQ(one.mtu(), 8950U);
  NetNamespace::ip("link set lo mtu 1400");
  EXPECT_EQ(one.link.send({frame(kB, kA, 1464), frame(kB, kA, 1464)}).taken, 2U);
  one.round();
  EXPECT_EQ(one.mtu(), 1350U) << "learned from a datagram that did not fit";
  EXPECT_EQ(one.sink.lost(DropReason::tx_error), 2U);
  EXPECT_EQ(one.link.send({frame(kB, kA, 1365)}).status, drv::SendStatus::message_size);
  EXPECT_EQ(one.link.send({frame(kB, kA, 1364)}).taken, 1U);
}

TEST_F(VxlanLink, is_as_narrow_as_the_narrowest_way) {
  NetNamespace::ip("link add va type veth peer name vb");
  NetNamespace::ip("addr add 10.0.0.1/24 dev va");
  NetNamespace::ip("link set va up mtu 1600");
  NetNamespace::ip("route add 10.0.1.2 via 10.0.0.2 mtu 1400");
  OurEnd one;
  one.start("vxlan:10.0.0.2+10.0.1.2+192.0.2.99,vni=7");
  EXPECT_EQ(one.mtu(), 1350U);
}

TEST_F(VxlanLink, waits_for_a_way_to_its_remote) {
  OurEnd one;
  one.start("vxlan:10.0.0.2,vni=7");
  EXPECT_EQ(one.mtu(), 1450U);
  EXPECT_EQ(one.link.send({frame(kB, kA)}).taken, 1U);
  one.round();
  EXPECT_EQ(one.sink.lost(DropReason::tx_error), 1U);
  EXPECT_TRUE(one.sink.states.empty());
  NetNamespace::ip("addr add 10.0.0.2/32 dev lo");
  PlainEnd two("10.0.0.2:4000");
  one.stop();
  one.link.link.port.reset();
  one.start("vxlan:10.0.0.2:4000,vni=7");
  EXPECT_EQ(one.link.send({frame(kB, kA)}).taken, 1U);
  EXPECT_EQ(two.receive().size(), 1U);
}

TEST_F(VxlanLink, outlives_a_remote_that_is_not_there) {
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(one.link.send({frame(kB, kA)}).taken, 1U) << "ICMP's answer to the last";
    one.round();
  }
  EXPECT_EQ(one.sink.lost(DropReason::tx_error), 5U) << "port unreachable, each";
  PlainEnd two("127.0.0.2");
  one.link.send({frame(kB, kA)});
  EXPECT_EQ(two.receive(), Frames{in_vxlan(frame(kB, kA).bytes)});
  two.send("127.0.0.1", in_vxlan(frame(kA, kB).bytes));
  one.wait_until([&] { return one.sink.frames.size() == 1; });
  EXPECT_TRUE(one.sink.states.empty()) << "the link stayed up";
}

TEST_F(VxlanLink, says_why_it_cannot_have_its_local_end) {
  OurEnd one, other;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  const auto taken = other.try_open("vxlan:127.0.0.3,vni=8,local=127.0.0.1");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().number(), EADDRINUSE);
  EXPECT_NE(taken.error().text.find("local="), std::string::npos) << taken.error().text;
  const auto nowhere = other.try_open("vxlan:10.0.0.2,vni=8,local=10.0.0.1");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().number(), EADDRNOTAVAIL);
  EXPECT_NE(nowhere.error().text.find("10.0.0.1:4789"), std::string::npos) << nowhere.error().text;
  other.start("vxlan:127.0.0.3,vni=8,local=127.0.0.4");
}

// A train of ours reaches one who cannot take it in one piece as single datagrams, in order.
TEST_F(VxlanLink, sends_trains_that_anybody_can_read) {
  PlainEnd two("127.0.0.2");
  OurEnd one;
  one.start("vxlan:127.0.0.2,vni=7,local=127.0.0.1");
  WireFrames burst;
  Frames datagrams;
  for (unsigned i = 0; i < 130; ++i) {
    burst.push_back(frame(kB, kA, 200, i));
    datagrams.push_back(in_vxlan(burst.back().bytes));
  }
  EXPECT_EQ(one.link.send(burst, 3).taken, burst.size());
  EXPECT_TRUE(two.receive() == datagrams);
}

}  // namespace
