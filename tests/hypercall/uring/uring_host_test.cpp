// SPDX-License-Identifier: BSD-2-Clause
// The host's interface changes under its link: switched off and on, renamed, removed, another MTU or address; and what
// the link asks of it.
#include <fstream>
#include <sstream>

#include "tests/hypercall/uring/uring_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using net::LinkState;

class UringHost : public UringRig {
 protected:
  // After `words` of ip(8).
  bool state_becomes(const std::string& words, LinkState state) {
    network.ip(words);
    return drain_until([&] { return !sink.states.empty() && sink.states.back() == state; });
  }
  std::string why() const { return sink.why ? sink.why->text : ""; }

  // A frame arrives, of those the peer sends until it does: its own queue drops some while its carrier is coming back.
  bool one_arrives(const Frame& frame) {
    return drain_until([&] {
      if (sink.frames.empty()) arrive(frame);
      return !sink.frames.empty();
    });
  }

  // What ip(8) says of vifa's groups, and of how often it was made promiscuous.
  static std::string maddr() { return output_of("ip maddr show dev vifa"); }
  static std::string details() { return output_of("ip -d link show dev vifa"); }
  static std::string output_of(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text.push_back(static_cast<char>(c));
    EXPECT_EQ(::pclose(pipe), 0) << command;
    return text;
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
};

TEST_F(UringHost, has_the_address_the_mtu_and_the_carrier_of_its_interface) {
  start("uring:vifa");
  EXPECT_EQ(link.link.caps.lladdr, kVethMac);
  EXPECT_EQ(link.link.caps.mtu_bytes, 1500U);
  EXPECT_EQ(link.link.caps.frame_bytes_max, 1514U);
  EXPECT_EQ(link.link.caps.link_state, LinkState::up);
  network.ip("link set vifa mtu 1280");
  network.ip("link set vifa address 02:00:00:00:00:77");
  ASSERT_TRUE(drain_until([&] { return !sink.caps.empty() && sink.caps.back().lladdr->octets[5] == 0x77; }));
  EXPECT_EQ(sink.caps.back().mtu_bytes, 1280U);
  EXPECT_EQ(sink.caps.back().frame_bytes_max, 1294U);
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(1281))).status, drv::SendStatus::message_size);
  EXPECT_TRUE(sink.states.empty()) << "the carrier is as it was";
}

TEST_F(UringHost, receives_what_has_become_larger) {
  start("uring:vifa,latency=low");
  network.ip("link set vifa mtu 9000");
  network.ip("link set vifb mtu 9000");
  ASSERT_TRUE(drain_until([&] { return !sink.caps.empty(); }));
  const Frame jumbo = ether(kOurMac, 0x88b5, counting(9000));
  arrive(jumbo);
  ASSERT_TRUE(drain_until_frames(1));
  EXPECT_EQ(sink.frames[0].bytes, jumbo) << "though the slots were made for less";
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(9000))).taken, 1U);
}

TEST_F(UringHost, goes_down_and_comes_back_with_its_interface) {
  for (const char* linkstr : {"uring:vifa", "uring:vifa,latency=low"}) {
    start(linkstr);
    ASSERT_TRUE(state_becomes("link set vifa down", LinkState::down));
    EXPECT_TRUE(has(why(), "ip link set vifa up")) << why();
    EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(46))).status, drv::SendStatus::network_down);
    ASSERT_TRUE(state_becomes("link set vifa up", LinkState::up));
    const Frame frame = ether(kOurMac, 0x88b5, counting(50));
    ASSERT_TRUE(one_arrives(frame));
    EXPECT_EQ(sink.frames.back().bytes, frame);
    EXPECT_EQ(link.send(WireFrames(8, {ether(kPeerMac, 0x88b5, counting(46))})).taken, 8U);
    TearDown();
    sink.frames.clear();
    sink.states.clear();
  }
}

TEST_F(UringHost, goes_down_with_the_other_end) {
  start("uring:vifa");
  ASSERT_TRUE(state_becomes("link set vifb down", LinkState::down));
  EXPECT_TRUE(has(why(), "no carrier")) << why();
  ASSERT_TRUE(state_becomes("link set vifb up", LinkState::up));
}

TEST_F(UringHost, opens_an_interface_that_is_down) {
  network.ip("link set vifa down");
  start("uring:vifa");
  EXPECT_EQ(link.link.caps.link_state, LinkState::down);
  ASSERT_TRUE(state_becomes("link set vifa up", LinkState::up));
  ASSERT_TRUE(one_arrives(ether(kOurMac, 0x88b5, counting(50))));
}

TEST_F(UringHost, stays_with_an_interface_that_is_renamed) {
  start("uring:vifa");
  network.ip("link set vifa name vifz");
  arrive(ether(kOurMac, 0x88b5, counting(50)));
  ASSERT_TRUE(drain_until_frames(1));
  ASSERT_TRUE(state_becomes("link set vifz down", LinkState::down));
  EXPECT_TRUE(has(why(), "vifz is down")) << why();
}

TEST_F(UringHost, is_down_for_good_when_its_interface_is_removed) {
  start("uring:vifa");
  arrive(ether(kOurMac, 0x88b5, counting(50)));
  ASSERT_TRUE(drain_until_frames(1));
  ASSERT_TRUE(state_becomes("link del vifa", LinkState::down));
  EXPECT_EQ(sink.why->number(), ENODEV);
  EXPECT_TRUE(has(why(), "vifa was removed")) << why();
  EXPECT_EQ(link.send(WireFrames(8, {ether(kPeerMac, 0x88b5, counting(46))})).status, drv::SendStatus::network_down);
  const std::size_t readies = sink.readies;
  for (int i = 0; i < 20; ++i) watch->collect();
  EXPECT_LE(sink.readies - readies, 2U) << "and is quiet";
  link.stop();
  EXPECT_TRUE(link.start()) << "there is nothing wrong with starting again";
}

TEST_F(UringHost, says_so_when_its_interface_went_while_stopped) {
  start("uring:vifa");
  link.stop();
  network.ip("link del vifa");
  ASSERT_TRUE(link.start());
  link.drain_all();
  ASSERT_EQ(sink.states, std::vector{LinkState::down});
  EXPECT_EQ(sink.why->number(), ENODEV);
}

// --- the receive filter ---

TEST_F(UringHost, joins_what_the_filter_wants_while_started) {
  const net::MacAddress other{{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfc}};
  const std::vector<net::MacRange> both = {net::MacRange::single(kGroupMac), net::MacRange::single(other)};
  open("uring:vifa");
  link.link.port->set_receive_filter({.lladdr = kVethMac, .promisc = true, .groups = both});
  EXPECT_FALSE(has(maddr(), kGroupMac.to_string())) << "not before it has started";
  ASSERT_TRUE(link.start());
  EXPECT_TRUE(has(maddr(), kGroupMac.to_string()));
  EXPECT_TRUE(has(maddr(), other.to_string()));
  EXPECT_TRUE(has(details(), "promiscuity 1")) << details();

  link.link.port->set_receive_filter({.lladdr = kVethMac, .groups = std::span(both).first(1)});
  EXPECT_TRUE(has(maddr(), kGroupMac.to_string()));
  EXPECT_FALSE(has(maddr(), other.to_string()));
  EXPECT_TRUE(has(details(), "promiscuity 0")) << details();

  const std::vector<net::MacRange> range = {{kGroupMac, other}};
  link.link.port->set_receive_filter({.lladdr = kVethMac, .groups = range});
  EXPECT_FALSE(has(maddr(), kGroupMac.to_string()));
  EXPECT_TRUE(has(details(), "allmulti 1")) << details();
  link.link.port->set_receive_filter({.lladdr = kOurMac, .allmulti = true});
  EXPECT_TRUE(has(details(), "allmulti 1")) << details();
  link.stop();
  EXPECT_TRUE(has(details(), "allmulti 0")) << details();
}

TEST_F(UringHost, keeps_its_memberships_while_the_interface_is_down) {
  const std::vector<net::MacRange> group = {net::MacRange::single(kGroupMac)};
  start("uring:vifa");
  link.link.port->set_receive_filter({.lladdr = kVethMac, .groups = group});
  ASSERT_TRUE(state_becomes("link set vifa down", LinkState::down));
  ASSERT_TRUE(state_becomes("link set vifa up", LinkState::up));
  EXPECT_TRUE(has(maddr(), kGroupMac.to_string()));
}

// A host that has no room for one more address takes all of them instead: never less than was wanted.
TEST_F(UringHost, asks_for_more_where_the_host_refuses_one) {
  const std::vector<net::MacRange> group = {net::MacRange::single(kGroupMac)};
  start("uring:vifa");
  {
    HostFaults host;
    host.fail("setsockopt", ENOBUFS, 1);
    link.link.port->set_receive_filter({.lladdr = kVethMac, .groups = group});
  }
  EXPECT_FALSE(has(maddr(), kGroupMac.to_string()));
  EXPECT_TRUE(has(details(), "allmulti 1")) << details();
  {
    HostFaults host;
    host.fail("setsockopt", ENOBUFS, 1);
    link.link.port->set_receive_filter({.lladdr = kOurMac, .groups = group});
  }
  link.link.port->set_receive_filter({.lladdr = kVethMac});
  EXPECT_TRUE(has(details(), "promiscuity 0")) << details();
  EXPECT_TRUE(has(details(), "allmulti 0")) << details();
}

}  // namespace
