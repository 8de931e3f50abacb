// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/ip_address.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/inet/packets.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

std::string again(std::string_view text) {
  const Result<IpAddress> parsed = IpAddress::parse(text);
  return parsed ? parsed->to_string() : "no";
}

TEST(IpAddressText, writes_what_it_reads_in_the_canonical_form_of_rfc_5952) {
  for (const char* canonical : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "1::", "2001:db8::1",
                                "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "fe80::76:69ff:fe66:b", "1:2:3:4:5:6:7:8"}) {
    EXPECT_EQ(again(canonical), canonical);
  }
  EXPECT_EQ(again("2001:0db8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
  EXPECT_EQ(again("2001:DB8::A"), "2001:db8::a");
  EXPECT_EQ(again("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1") << "the first of two equal runs";
  EXPECT_EQ(again("::ffff:192.0.2.1"), "192.0.2.1") << "the same host";
  EXPECT_EQ(again("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(again("1:2:3:4:5:6:192.0.2.1"), "1:2:3:4:5:6:c000:201");
  EXPECT_EQ(again("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
}

TEST(IpAddressText, refuses_everything_else) {
  for (const char* wrong : {"",
                            ".",
                            "1",
                            "1.2.3",
                            "1.2.3.4.5",
                            "1.2.3.256",
                            "01.2.3.4",
                            "1.2.3.4 ",
                            " 1.2.3.4",
                            "1.2.3.-4",
                            "+1.2.3.4",
                            ":",
                            ":::",
                            "1::2::3",
                            "1:2:3:4:5:6:7",
                            "1:2:3:4:5:6:7:8:9",
                            "1:2:3:4:5:6:7:8::",
                            "::1:2:3:4:5:6:7:8",
                            "12345::",
                            "g::",
                            "1:",
                            ":1",
                            "::1:",
                            "1.2.3.4::",
                            "::1.2.3.4:5",
                            "::1.2.3",
                            "1:2:3:4:5:6:7:1.2.3.4",
                            "fe80::1%virt0"}) {
    EXPECT_EQ(again(wrong), "no") << wrong;
  }
  const Result<IpAddress> wrong = IpAddress::parse("nowhere");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().number(), EINVAL);
  EXPECT_EQ(wrong.error().text, "'nowhere' is not an IP address: expected one as in 192.0.2.1 or 2001:db8::1");
}

TEST(IpAddressKind, knows_what_an_address_is_for) {
  EXPECT_TRUE(ip("192.0.2.1").is_v4());
  EXPECT_FALSE(ip("2001:db8::1").is_v4());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified() && ip("::").is_unspecified());
  EXPECT_TRUE(ip("224.0.0.0").is_multicast() && ip("239.255.255.255").is_multicast() && ip("ff02::1").is_multicast());
  EXPECT_FALSE(ip("223.255.255.255").is_multicast() || ip("240.0.0.0").is_multicast() || ip("fe80::1").is_multicast());
  EXPECT_TRUE(ip("127.0.0.1").is_loopback() && ip("127.255.255.255").is_loopback() && ip("::1").is_loopback());
  EXPECT_TRUE(ip("169.254.1.1").is_link_local() && ip("fe80::1").is_link_local() && ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local() || ip("169.253.0.1").is_link_local());
  for (const char* host : {"1.0.0.1", "192.0.2.1", "223.255.255.254", "2001:db8::1", "fe80::1"}) {
    EXPECT_TRUE(ip(host).is_unicast()) << host;
  }
  for (const char* none : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "ff02::1"}) {
    EXPECT_FALSE(ip(none).is_unicast()) << none;
  }
  EXPECT_EQ(ip("ff02::1").scope(), 2U);
  EXPECT_EQ(ip("ff05::1").scope(), 5U);
  EXPECT_EQ(ip("fe80::1").scope(), 2U);
  EXPECT_EQ(ip("2001:db8::1").scope(), 14U);
}

TEST(IpAddressDerived, groups_and_identifiers_follow_from_addresses) {
  EXPECT_EQ(group_mac(ip("239.129.2.3")).to_string(), "01:00:5e:01:02:03") << "23 bits: RFC 1112, 6.4";
  EXPECT_EQ(group_mac(ip("ff02::1:ff66:b")).to_string(), "33:33:ff:66:00:0b");
  EXPECT_EQ(group_mac(kLimitedBroadcast), net::kBroadcast);
  EXPECT_EQ(solicited_node(ip("4037::1:800:200e:8c6c")), ip("ff02::1:ff0e:8c6c")) << "the example of RFC 4291, 2.7.1";
  const net::MacAddress b{{0x02, 0x76, 0x69, 0x66, 0x00, 0x0b}};
  EXPECT_EQ(with_eui64(kLinkLocalPrefix6, b), ip("fe80::76:69ff:fe66:b")) << "as the kernel made it";
}

TEST(IpPrefixText, reads_and_writes_a_length) {
  EXPECT_EQ(prefix("192.0.2.1/24").to_string(), "192.0.2.1/24");
  EXPECT_EQ(prefix("192.0.2.1").to_string(), "192.0.2.1/32");
  EXPECT_EQ(prefix("2001:db8::/32").to_string(), "2001:db8::/32");
  EXPECT_EQ(prefix("::/0").bits, 0);
  for (const char* wrong : {"192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1", "2001:db8::/129", "/24", "1.2.3.4/2 "}) {
    EXPECT_FALSE(IpPrefix::parse(wrong)) << wrong;
  }
}

TEST(IpPrefixNetwork, contains_and_bounds_its_network) {
  EXPECT_TRUE(prefix("192.0.2.1/24").contains(ip("192.0.2.255")));
  EXPECT_FALSE(prefix("192.0.2.1/24").contains(ip("192.0.3.0")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(ip("8.8.8.8")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("2001:db8::1")));
  EXPECT_FALSE(prefix("::/0").contains(ip("8.8.8.8"))) << "the other family, however it is kept";
  EXPECT_TRUE(prefix("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(prefix("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  EXPECT_EQ(prefix("192.0.2.77/27").network(), prefix("192.0.2.64/27"));
  EXPECT_EQ(prefix("2001:db8:ffff::1/41").network(), prefix("2001:db8:ff80::/41"));
  EXPECT_EQ(prefix("192.0.2.77/27").broadcast(), ip("192.0.2.95"));
  EXPECT_EQ(prefix("10.0.0.0/31").broadcast(), ip("::"));
  EXPECT_EQ(prefix("2001:db8::/64").broadcast(), ip("::"));
  EXPECT_EQ(common_bits(ip("192.0.2.1"), ip("192.0.2.2")), 30U);
  EXPECT_EQ(common_bits(ip("2001:db8::"), ip("2001:db8::")), 128U);
}

}  // namespace
}  // namespace vif::test
