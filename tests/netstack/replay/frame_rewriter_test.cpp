// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_rewriter.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

std::string field(const Frame& frame, std::size_t at, std::size_t bytes) {
  std::string text;
  for (std::size_t i = at; i < at + bytes; ++i) text += std::to_string(std::to_integer<int>(frame[i])) + " ";
  return text;
}

TEST(FrameRewriter, refuses_what_is_no_rule_and_says_what_is) {
  for (const char* rules :
       {"ttl", "ttl=256", "ttl=-1", "eth.src=02:00", "mac:02:00:00:00:00:01=x", "vlan=4095", "vlan=push:", "vlan=push",
        "ip:10.0.0.0/8=10.0.0.0/9", "ip:10.0.0.0/8=::/8", "ip:10.0.0.0/33=1.0.0.0/33", "ip=1.2.3.4", "port:1=65536",
        "port:=1", "=", ",", "ttl=1,,ttl=2", "color=blue"}) {
    const Result<FrameRewriter> parsed = FrameRewriter::parse(rules);
    ASSERT_FALSE(parsed) << rules;
    EXPECT_NE(parsed.error().text.find("expected"), std::string::npos);
  }
  EXPECT_TRUE(FrameRewriter::parse("")->empty());
}

TEST(FrameRewriter, without_rules_the_frame_is_the_frame) {
  const Frame frame = udp_packet(counting(9));
  Scratch scratch;
  EXPECT_EQ(FrameRewriter().rewrite(frame, scratch).data(), frame.data());
}

TEST(FrameRewriter, sets_and_replaces_mac_addresses) {
  const Frame frame = udp_packet(counting(9));
  EXPECT_EQ(field(rewritten("eth.dst=02:00:00:00:00:07", frame), 0, 6), "2 0 0 0 0 7 ");
  EXPECT_EQ(field(rewritten("eth.src=02:00:00:00:00:08", frame), 6, 6), "2 0 0 0 0 8 ");
  const Frame arp = rewritten("mac:02:00:5e:10:00:02=02:00:00:00:00:09", arp_request());
  EXPECT_EQ(field(arp, 6, 6), "2 0 0 0 0 9 ");
  EXPECT_EQ(field(arp, 14 + 8, 6), "2 0 0 0 0 9 ");
  EXPECT_EQ(field(arp, 0, 6), "255 255 255 255 255 255 ");
}

TEST(FrameRewriter, pushes_pops_and_sets_tags) {
  const Frame frame = udp_packet(counting(9));
  EXPECT_EQ(rewritten("vlan=push:5", frame), tagged(frame, 5));
  EXPECT_EQ(rewritten("vlan=push:5,vlan=push:6", frame), tagged(tagged(frame, 5), 6));
  EXPECT_EQ(rewritten("vlan=pop", tagged(frame, 5)), frame);
  EXPECT_EQ(rewritten("vlan=pop", frame), frame);
  EXPECT_EQ(rewritten("vlan=7", tagged(frame, 0xe005)), tagged(frame, 0xe007));
  EXPECT_EQ(rewritten("vlan=7", frame), frame);
  EXPECT_EQ(rewritten("vlan=push:1", Frame(13)), Frame(13));
}

TEST(FrameRewriter, every_change_keeps_the_checksums_right) {
  for (const bool ipv6 : {false, true}) {
    const char* map = ipv6 ? "ip:fd56:4946::/32=2001:db8::/32" : "ip:10.86.0.0/16=192.168.0.0/16";
    for (const std::string& rules : {std::string(map), std::string("port:5000=1"), std::string("ttl=3"),
                                     std::string(map) + ",port:5001=80,ttl=1,vlan=push:9,port:80=81"}) {
      for (const std::size_t bytes : {0U, 1U, 100U}) {
        const Frame udp = udp_packet(counting(bytes), ipv6);
        const Frame tcp = super_frame({.ipv6 = ipv6, .payload_bytes = bytes}).bytes;
        ASSERT_TRUE(sums_hold(udp));
        EXPECT_NE(rewritten(rules, udp), udp) << rules;
        EXPECT_TRUE(sums_hold(rewritten(rules, udp))) << rules;
        EXPECT_NE(rewritten(rules, tcp), tcp) << rules;
      }
    }
  }
}

TEST(FrameRewriter, moves_networks_on_both_sides_and_in_arp) {
  const Frame frame = rewritten("ip:10.86.0.0/16=172.16.0.0/16", udp_packet({}));
  EXPECT_EQ(field(frame, 14 + 12, 8), "172 16 0 1 172 16 0 2 ");
  EXPECT_EQ(field(rewritten("ip:10.86.0.1=1.2.3.4", udp_packet({})), 14 + 12, 8), "1 2 3 4 10 86 0 2 ");
  EXPECT_EQ(field(rewritten("ip:192.0.2.0/25=10.1.1.128/25", arp_request()), 14 + 24, 4), "10 1 1 129 ");
  EXPECT_EQ(rewritten("ip:11.0.0.0/8=12.0.0.0/8,ip:::/0=::/0", udp_packet({})), udp_packet({}));
}

TEST(FrameRewriter, maps_the_ports_of_both_sides) {
  EXPECT_EQ(field(rewritten("port:5000=1", udp_packet({})), 34, 4), "0 1 19 137 ");
  EXPECT_EQ(field(rewritten("port:5001=1", udp_packet({})), 34, 4), "19 136 0 1 ");
}

TEST(FrameRewriter, a_header_without_anything_behind_it_has_addresses) {
  Frame header = udp_packet({});
  header.resize(14 + 20);
  EXPECT_EQ(field(rewritten("ip:10.86.0.1=1.2.3.4", header), 14 + 12, 4), "1 2 3 4 ");
}

TEST(FrameRewriter, no_udp_checksum_stays_none_and_a_wrong_one_stays_as_wrong) {
  Frame none = udp_packet(counting(9));
  store_be16(none.data() + 40, 0);
  EXPECT_EQ(load_be16(rewritten("port:5000=1", none).data() + 40), 0);
  Frame wrong = udp_packet(counting(9));
  store_be16(wrong.data() + 40, static_cast<std::uint16_t>(load_be16(wrong.data() + 40) ^ 0x0100));
  Frame mended = rewritten("port:5000=1,ttl=9", wrong);
  EXPECT_FALSE(sums_hold(mended));
  mended = rewritten("port:1=5000,ttl=64", mended);
  EXPECT_EQ(mended, wrong);
}

TEST(FrameRewriter, a_sum_of_zero_is_not_said_to_be_none) {
  // Every port in turn: one of them makes the sum 0, which UDP writes as ffff.
  const Frame frame = udp_packet(counting(2));
  int zeros = 0;
  for (std::uint32_t port = 0; port <= 0xffff; ++port) {
    const Frame changed = rewritten("port:5000=" + std::to_string(port), frame);
    ASSERT_NE(load_be16(changed.data() + 40), 0) << port;
    zeros += load_be16(changed.data() + 40) == 0xffff ? 1 : 0;
  }
  EXPECT_GE(zeros, 1);
}

TEST(FrameRewriter, a_later_fragment_has_addresses_but_no_ports) {
  Frame fragment = udp_packet(counting(20));
  store_be16(fragment.data() + 14 + 6, 0x0010);
  store_be16(fragment.data() + 14 + 10, 0);
  store_be16(fragment.data() + 14 + 10, static_cast<std::uint16_t>(~plain_sum(Bytes(fragment).subspan(14, 20))));
  const Frame changed = rewritten("ip:10.0.0.0/8=11.0.0.0/8,port:5000=1", fragment);
  EXPECT_EQ(plain_sum(Bytes(changed).subspan(14, 20)), 0xffff);
  EXPECT_EQ(Frame(changed.begin() + 34, changed.end()), Frame(fragment.begin() + 34, fragment.end()));
}

}  // namespace
