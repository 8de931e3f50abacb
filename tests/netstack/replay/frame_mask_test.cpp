// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_mask.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

FrameMask mask(std::string_view text) {
  Result<FrameMask> parsed = FrameMask::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return *parsed;
}
bool same(const Frame& a, const Frame& b, std::string_view ignored = "") {
  const FrameMask under = mask(ignored);
  const bool equal = under.compared(a) == under.compared(b);
  EXPECT_EQ(difference_of(a, b, under).first.empty(), equal);
  return equal;
}
std::string first(const Frame& a, const Frame& b, std::string_view ignored = "") {
  return difference_of(a, b, mask(ignored)).first;
}

TEST(FrameMask, takes_fields_and_ranges_of_bytes) {
  EXPECT_TRUE(mask("eth.src,ip.ttl,udp.checksum,@34..38,@7").ignores(**find_frame_field("ip.ttl")));
  EXPECT_FALSE(mask("eth.src").ignores(**find_frame_field("ip.ttl")));
}

TEST(FrameMask, refuses_what_it_does_not_know_and_says_what_there_is) {
  for (const char* text :
       {"ip.tll", "ttl", ",", "@", "@x", "@5..5", "@5..", "@9..3", "@99999999999999999999", "ip.ttl, ip.id"}) {
    EXPECT_FALSE(FrameMask::parse(text)) << text;
  }
  EXPECT_NE(FrameMask::parse("ip.tll").error().text.find("ip.ttl"), std::string::npos);
  EXPECT_EQ(FrameMask::parse("ip.tll").error().text.find("tcp.seq"), std::string::npos);
}

TEST(FrameMask, names_the_first_field_that_differs) {
  const Frame frame = udp_packet(counting(20));
  Frame other = frame;
  other[5] = std::byte{0x77};
  EXPECT_EQ(first(frame, other).substr(0, 22), "eth.dst: expected 02:0");
  EXPECT_EQ(first(udp_packet({}, false, 64), udp_packet({}, false, 63)), "ip.ttl: expected 64, received 63");
  EXPECT_EQ(first(udp_packet(counting(3)), udp_packet(counting(4))), "ip.len: expected 31, received 32");
  EXPECT_EQ(first(arp_request(), frame).substr(0, 8), "eth.dst:");
}

TEST(FrameMask, shows_all_fields_side_by_side_and_those_that_are_missing) {
  const FrameDifference difference = difference_of(udp_packet(counting(3)), arp_request(), mask("eth.dst"));
  const auto line = [&](std::string_view name) {
    const auto at = std::find_if(difference.fields.begin(), difference.fields.end(),
                                 [&](const FieldComparison& f) { return f.name == name; });
    return at != difference.fields.end() ? *at : FieldComparison{};
  };
  EXPECT_TRUE(line("eth.dst").ignored);
  EXPECT_FALSE(line("eth.dst").differs);
  EXPECT_EQ(line("udp.srcport").expected, "5000");
  EXPECT_EQ(line("udp.srcport").received, "-");
  EXPECT_EQ(line("arp.opcode").received, "1");
  EXPECT_EQ(line("ip.src").expected, "10.86.0.1");
  EXPECT_TRUE(line("ip.src").differs);
}

TEST(FrameMask, a_checksum_over_something_ignored_has_to_be_right_not_the_same) {
  for (const bool ipv6 : {false, true}) {
    const char* ttl = ipv6 ? "ipv6.hlim" : "ip.ttl";
    EXPECT_TRUE(same(udp_packet(counting(9), ipv6, 64), udp_packet(counting(9), ipv6, 63), ttl));
    EXPECT_TRUE(same(udp_packet(counting(9), ipv6), udp_packet(counting(9), ipv6, 64, 6000), "udp.srcport"));
    Frame wrong = udp_packet(counting(9), ipv6, 64, 6000);
    wrong[14 + (ipv6 ? 40 : 20) + 6] ^= std::byte{1};
    EXPECT_FALSE(same(udp_packet(counting(9), ipv6), wrong, "udp.srcport"));
    EXPECT_TRUE(same(udp_packet(counting(9), ipv6), wrong, "udp.srcport,udp.checksum"));
  }
  Frame wrong = udp_packet({}, false, 63);
  wrong[14 + 10] ^= std::byte{1};
  EXPECT_FALSE(same(udp_packet({}, false, 64), wrong, "ip.ttl"));
  EXPECT_EQ(first(udp_packet({}, false, 64), wrong, "ip.ttl").substr(0, 12), "ip.checksum:");
}

TEST(FrameMask, a_checksum_is_compared_when_nothing_under_it_is_ignored) {
  const Frame frame = udp_packet(counting(9));
  Frame other = frame;
  store_be16(other.data() + 14 + 20 + 6, 0);  // none at all: right, but not the same
  EXPECT_FALSE(same(frame, other, "eth.src,ip.ttl"));
  EXPECT_TRUE(same(frame, other, "data"));
}

TEST(FrameMask, padding_does_not_matter) {
  Frame padded = udp_packet(counting(3));
  padded.resize(60, std::byte{0xaa});
  EXPECT_TRUE(same(udp_packet(counting(3)), padded));
  EXPECT_FALSE(same(ether(kOurMac, 0x88b5, counting(10)), ether(kOurMac, 0x88b5, counting(10) + Frame(36))));
}

TEST(FrameMask, ignores_bytes_wherever_they_are) {
  const Frame frame = ether(kOurMac, 0x88b5, counting(30));
  Frame other = frame;
  other[20] = other[21] = std::byte{0xff};
  EXPECT_FALSE(same(frame, other, "@20"));
  EXPECT_TRUE(same(frame, other, "@20..22"));
  EXPECT_TRUE(same(frame, other, "data"));
  EXPECT_TRUE(same(frame, frame, "@1000..2000,tcp.seq"));
}

TEST(FrameMask, looks_through_tags_and_at_them) {
  const Frame one = tagged(udp_packet(counting(5)), 0x2007), two = tagged(udp_packet(counting(5), false, 63), 0x2008);
  EXPECT_EQ(first(one, two), "vlan.id: expected 7, received 8");
  EXPECT_EQ(first(one, two, "vlan.id"), "ip.ttl: expected 64, received 63");
  EXPECT_TRUE(same(one, two, "vlan.id,ip.ttl"));
}

TEST(FrameFields, have_names_of_their_own_and_text_for_all) {
  const Frame frame = udp_packet(counting(40), true);
  const FrameLayers layers = FrameLayers::of(frame);
  std::vector<std::string_view> names;
  for (const FrameField& field : frame_fields()) {
    names.push_back(field.name);
    EXPECT_EQ(*find_frame_field(field.name), &field);
    if (const auto place = place_of(field, layers, frame)) {
      EXPECT_FALSE(field_text(field, *place, frame).empty());
    }
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
