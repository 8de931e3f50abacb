// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_splitter.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

constexpr ReplaySide kClients = ReplaySide::clients, kServers = ReplaySide::servers;

FrameSplitter splitter(std::string_view rule) {
  Result<FrameSplitter> parsed = FrameSplitter::parse(rule);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return *parsed;
}

// 10.86.0.1 -> 10.86.0.2 (or their IPv6 likes).
Frame datagram(std::uint16_t from, std::uint16_t to, bool ipv6 = false) {
  Frame frame = udp_packet(Frame(10), ipv6);
  store_be16(frame.data() + (ipv6 ? 54 : 34), from);
  store_be16(frame.data() + (ipv6 ? 56 : 36), to);
  return frame;
}

// The same from the other end.
Frame turned(Frame frame, bool ipv6 = false) {
  const auto swap = [&](std::ptrdiff_t at, std::ptrdiff_t bytes) {
    std::swap_ranges(frame.begin() + at, frame.begin() + at + bytes, frame.begin() + at + bytes);
  };
  swap(0, 6);
  ipv6 ? swap(22, 16) : swap(26, 4);
  swap(ipv6 ? 54 : 34, 2);
  return frame;
}

Frame arp(std::uint8_t sender, std::uint8_t target) {
  Frame packet(28);
  store_be16(packet.data(), 1);
  store_be16(packet.data() + 2, 0x0800);
  store_be32(packet.data() + 14, 0x0a56'0000U + sender);
  store_be32(packet.data() + 24, 0x0a56'0000U + target);
  return ether(kOurMac, 0x0806, packet);
}

Frame later_fragment(Frame frame) {
  store_be16(frame.data() + 14 + 6, 0x00b9);
  return frame;
}

ReplaySide side(FrameSplitter& splitter, const Frame& frame, std::uint32_t interface = 0) {
  return splitter.side_of(frame, interface);
}

TEST(FrameSplitter, by_network_looks_at_who_sent_it) {
  FrameSplitter split = splitter("net=10.86.0.1/32,192.0.2.0/24");
  EXPECT_EQ(side(split, datagram(1, 2)), kClients);
  EXPECT_EQ(side(split, turned(datagram(1, 2))), kServers);
  EXPECT_EQ(side(split, arp(1, 2)), kClients);
  EXPECT_EQ(side(split, arp(2, 1)), kServers);
  EXPECT_EQ(side(split, later_fragment(turned(datagram(1, 2)))), kServers);
  const Frame v6 = datagram(1, 2, true);
  const FrameFlow flow = FrameFlow::of(v6);
  FrameSplitter split6 = splitter("net=" + flow.source.address.to_string() + "/128");
  EXPECT_EQ(side(split6, v6), kClients);
  EXPECT_EQ(side(split6, turned(v6, true)), kServers);
}

TEST(FrameSplitter, by_port_knows_servers_by_theirs) {
  FrameSplitter split = splitter("port");
  EXPECT_EQ(side(split, datagram(5000, 53)), kClients);
  EXPECT_EQ(side(split, datagram(53, 5000)), kServers);
  EXPECT_EQ(side(split, datagram(5000, 8080)), kServers);  // the lower one
  EXPECT_EQ(side(split, datagram(123, 53)), kClients);
  FrameSplitter listed = splitter("port=8080,9000");
  EXPECT_EQ(side(listed, datagram(5000, 8080)), kClients);
  EXPECT_EQ(side(listed, datagram(53, 9000)), kClients);
  EXPECT_EQ(side(listed, datagram(53, 5000)), kServers);
}

TEST(FrameSplitter, what_has_no_ports_goes_with_what_was_said_of_its_hosts) {
  FrameSplitter split = splitter("port");
  EXPECT_EQ(side(split, datagram(53, 5000)), kServers);  // so 10.86.0.1 is the server
  EXPECT_EQ(side(split, arp(1, 2)), kServers);
  EXPECT_EQ(side(split, arp(2, 1)), kClients);
  EXPECT_EQ(side(split, later_fragment(datagram(0, 0))), kServers);
  EXPECT_EQ(side(split, datagram(123, 123)), kServers);
  EXPECT_EQ(side(split, arp(7, 8)), kClients);  // nothing was
  EXPECT_EQ(side(split, arp(8, 7)), kServers);
}

TEST(FrameSplitter, a_first_fragment_has_its_ports) {
  const auto first_fragment = [](Frame frame) {
    store_be16(frame.data() + 14 + 6, 0x2000);
    return frame;
  };
  FrameSplitter split = splitter("port");
  EXPECT_EQ(side(split, first_fragment(datagram(53, 40000))), kServers);
  EXPECT_EQ(side(split, later_fragment(datagram(53, 40000))), kServers);
  EXPECT_EQ(side(split, first_fragment(datagram(40000, 53))), kClients);
  FrameSplitter by_first = splitter("first");
  EXPECT_EQ(side(by_first, datagram(5000, 53)), kClients);
  EXPECT_EQ(side(by_first, turned(datagram(20, 6000))), kClients);
  EXPECT_EQ(side(by_first, first_fragment(turned(datagram(20, 6000)))), kClients);
}

TEST(FrameSplitter, by_interface_asks_nothing_else) {
  FrameSplitter split = splitter("iface=1,3");
  for (const std::uint32_t client : {1U, 3U}) EXPECT_EQ(side(split, datagram(1, 2), client), kClients);
  for (const std::uint32_t server : {0U, 2U}) EXPECT_EQ(side(split, datagram(1, 2), server), kServers);
  EXPECT_EQ(side(split, Frame(3), 0), kServers);
}

TEST(FrameSplitter, first_is_a_matter_of_each_flow) {
  FrameSplitter split = splitter("first");
  EXPECT_EQ(side(split, datagram(5000, 53)), kClients);
  EXPECT_EQ(side(split, turned(datagram(5000, 53))), kServers);
  EXPECT_EQ(side(split, turned(datagram(20, 6000))), kClients);  // another flow, which the other end began
  EXPECT_EQ(side(split, datagram(20, 6000)), kServers);
  EXPECT_EQ(side(split, datagram(5000, 53)), kClients);
  EXPECT_EQ(side(split, later_fragment(turned(datagram(5000, 53)))), kServers);  // as the hosts first were
  split.restart();
  EXPECT_EQ(side(split, datagram(20, 6000)), kClients);
}

TEST(FrameSplitter, frames_without_ip_go_by_their_ethernet_addresses) {
  FrameSplitter split = splitter("first");
  Frame frame = ether(kOurMac, 0x88b5, counting(50)), answer = frame;
  std::swap_ranges(answer.begin(), answer.begin() + 6, answer.begin() + 6);
  EXPECT_EQ(side(split, frame), kClients);
  EXPECT_EQ(side(split, answer), kServers);
  EXPECT_EQ(side(split, Frame(5)), kClients);
}

TEST(FrameSplitter, keeps_the_flows_that_go_on_among_any_number_of_others) {
  FrameSplitter split = splitter("first");
  const Frame ours = datagram(5000, 53);
  EXPECT_EQ(side(split, ours), kClients);
  for (std::uint32_t i = 0; i < 3 * FrameSplitter::kFlowsKept; ++i) {
    Frame other = datagram(1, 2);
    store_be32(other.data() + 26, 0xc600'0000U + i);
    (void)side(split, other);
    if (i % 10'000 == 0) {
      ASSERT_EQ(side(split, turned(ours)), kServers) << i;
    }
  }
}

TEST(FrameSplitter, refuses_other_rules_and_says_what_it_expected) {
  for (const char* rule : {"", "second", "first=1", "net", "net=", "net=300.0.0.0/8", "net=10.0.0.0/8,", "port=",
                           "port=65536", "port=x", "iface", "iface=", "iface=-1", "iface=1,", "iface=4294967296"}) {
    const auto parsed = FrameSplitter::parse(rule);
    ASSERT_FALSE(parsed) << rule;
    EXPECT_NE(parsed.error().text.find("expected"), std::string::npos);
  }
}

}  // namespace
