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
  const bool equal = under.compared(a, FrameRole::expected) == under.compared(b, FrameRole::received);
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
  store_be16(other.data() + 14 + 20 + 6, 0);  // none at all: allowed, but not the same
  EXPECT_FALSE(same(frame, other, "eth.src,ip.ttl"));
  EXPECT_FALSE(same(frame, other, "data"));
  EXPECT_EQ(first(frame, other, "data"), "udp.checksum: expected the right one, received 0x0000");
  EXPECT_FALSE(same(other, frame, "data"));
  EXPECT_TRUE(same(other, other, "data"));
}

// What a sender's NIC was to fill in was not there yet when the sender recorded it.
TEST(FrameMask, a_checksum_that_was_recorded_unfinished_has_to_be_right_when_it_comes) {
  for (const bool ipv6 : {false, true}) {
    const Frame right = udp_packet(counting(9), ipv6);
    Frame recorded = right;
    const std::size_t udp_sum_at = 14 + (ipv6 ? 40 : 20) + 6;
    store_be16(recorded.data() + udp_sum_at, 0x1234);
    EXPECT_TRUE(same(recorded, right, "data"));
    EXPECT_FALSE(same(recorded, recorded, "data"));
    EXPECT_EQ(first(recorded, recorded, "data"), "udp.checksum: expected the right one, received 0x1234");
    EXPECT_TRUE(same(recorded, recorded)) << "where nothing is ignored it has to be the same";
  }
  const Frame right = udp_packet({});
  Frame recorded = right;
  store_be16(recorded.data() + 14 + 10, 0);
  EXPECT_TRUE(same(recorded, right, "ip.ttl"));
  EXPECT_FALSE(same(recorded, recorded, "ip.ttl"));
}

// The first piece of a packet has its checksum, and not all that it covers.
TEST(FrameMask, a_checksum_of_a_first_fragment_cannot_be_judged) {
  Frame recorded = udp_packet(counting(16)), translated = recorded;
  store_be16(recorded.data() + 14 + 6, 0x2000);  // more fragments follow
  translated = recorded;
  translated[14 + 15] = std::byte{9};  // the source's last byte
  store_be16(translated.data() + 14 + 20 + 6, 0x7777);
  EXPECT_TRUE(same(recorded, translated, "ip.src,ip.checksum"));
  EXPECT_FALSE(same(recorded, translated, "eth.src"));
}

TEST(FrameMask, what_is_ignored_may_be_of_any_length) {
  const char* lengths = "data,ip.len,udp.length";
  for (const std::size_t bytes : {0U, 3U, 400U}) {
    EXPECT_TRUE(same(udp_packet(counting(40)), udp_packet(counting(bytes)), lengths)) << bytes;
    EXPECT_TRUE(same(udp_packet(counting(bytes)), udp_packet(counting(40)), lengths)) << bytes;
  }
  EXPECT_EQ(first(udp_packet(counting(3)), udp_packet(counting(4)), "data"), "ip.len: expected 31, received 32");
  EXPECT_FALSE(same(udp_packet(counting(40), false, 64, 7), udp_packet(counting(9)), lengths));
  const Frame odd = ether(kOurMac, 0x88b5, counting(30));
  EXPECT_TRUE(same(odd, ether(kOurMac, 0x88b5, {}), "data"));
}

TEST(FrameMask, says_where_long_fields_differ_rather_than_that_their_checksum_does) {
  const Frame zeros(40);
  Frame data = zeros;
  data[20] = std::byte{0xff};
  EXPECT_EQ(first(udp_packet(zeros), udp_packet(data)),
            "data from @62 on: expected 20 bytes: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ..., received 20 "
            "bytes: ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ...");
  data[1] = std::byte{0xff};
  EXPECT_EQ(first(udp_packet(zeros), udp_packet(data)).substr(0, 28), "data: expected 40 bytes: 00 ");
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

TEST(FrameMask, shows_lengths_of_headers_in_bytes) {
  Frame other = udp_packet({});
  other[14] = std::byte{0x46};
  EXPECT_EQ(first(udp_packet({}), other), "ip.hdr_len: expected 20, received 24");
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
