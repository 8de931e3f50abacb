// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/mac_address.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace vif;
using namespace vif::net;

TEST(MacAddress, parses_colons_dashes_and_both_cases) {
  const MacAddress expected{{0x02, 0x00, 0x5e, 0x1a, 0xbc, 0xff}};
  for (const char* text : {"02:00:5e:1a:bc:ff", "02-00-5e-1a-bc-ff", "02:00:5E:1A:Bc:fF"}) {
    const auto mac = MacAddress::parse(text);
    ASSERT_TRUE(mac) << text;
    EXPECT_EQ(*mac, expected);
  }
}

TEST(MacAddress, refuses_everything_else_and_says_what_it_expected) {
  for (const char* text :
       {"", "02", "02:00:5e:10:00", "02:00:5e:10:00:01:", "02:00:5e:10:00:1", " 02:00:5e:10:00:01", "02:00:5e:10:00:0g",
        "02:00-5e:10:00:01", "02005e100001", "0200.5e10.0001", "02.00.5e.10.00.01", "02:00:5e:10:00:001",
        "0x:00:5e:10:00:01", "+2:00:5e:10:00:01", "02:00:5e:10:00:01:02"}) {
    const auto mac = MacAddress::parse(text);
    ASSERT_FALSE(mac) << text;
    EXPECT_EQ(mac.error().number(), EINVAL);
    EXPECT_NE(mac.error().text.find("expected six pairs of hex digits"), std::string::npos) << mac.error().text;
    EXPECT_NE(mac.error().text.find(text), std::string::npos) << "names what was given";
  }
}

TEST(MacAddress, does_not_repeat_an_endless_text_in_its_message) {
  EXPECT_LT(MacAddress::parse(std::string(100'000, 'a')).error().text.size(), 250U);
}

TEST(MacAddress, prints_what_it_parses) {
  std::mt19937_64 chance(1);
  for (int i = 0; i < 1000; ++i) {
    const MacAddress mac = MacAddress::from_key(chance() >> 16);
    const auto again = MacAddress::parse(mac.to_string());
    ASSERT_TRUE(again) << mac.to_string();
    EXPECT_EQ(*again, mac);
  }
  EXPECT_EQ(kBroadcast.to_string(), "ff:ff:ff:ff:ff:ff");
}

TEST(MacAddress, has_a_key_that_orders_like_the_address) {
  const MacAddress low{{0x01, 0xff, 0, 0, 0, 0}}, high{{0x02, 0, 0, 0, 0, 0}};
  EXPECT_LT(low.key(), high.key());
  EXPECT_LT(low, high);
  EXPECT_EQ(low.key(), 0x01ff'0000'0000U);
  EXPECT_EQ(MacAddress::from_key(low.key()), low);
}

TEST(MacAddress, knows_groups_by_the_lowest_bit_of_the_first_octet) {
  EXPECT_TRUE(kBroadcast.is_group());
  EXPECT_TRUE(MacAddress::parse("33:33:00:00:00:01")->is_group());
  EXPECT_FALSE(MacAddress::parse("02:01:01:01:01:01")->is_group());
}

// RFC 1112, 6.4: the low 23 bits, so that 224.x, 239.x and their high half share a group.
TEST(MacAddress, maps_ipv4_groups) {
  const MacRange all_hosts = ipv4_group({224, 0, 0, 1});
  EXPECT_TRUE(all_hosts.is_single());
  EXPECT_EQ(all_hosts.lo.to_string(), "01:00:5e:00:00:01");
  EXPECT_EQ(ipv4_group({239, 129, 2, 3}).lo.to_string(), "01:00:5e:01:02:03");
  const MacRange any = ipv4_group({0, 0, 0, 0});
  EXPECT_EQ(any.lo.to_string(), "01:00:5e:00:00:00");
  EXPECT_EQ(any.hi.to_string(), "01:00:5e:7f:ff:ff");
}

// RFC 2464, 7: 33:33 and the low 32 bits.
TEST(MacAddress, maps_ipv6_groups) {
  const MacRange solicited = ipv6_group({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56});
  EXPECT_TRUE(solicited.is_single());
  EXPECT_EQ(solicited.lo.to_string(), "33:33:ff:12:34:56");
  const MacRange any = ipv6_group({});
  EXPECT_EQ(any.lo.to_string(), "33:33:00:00:00:00");
  EXPECT_EQ(any.hi.to_string(), "33:33:ff:ff:ff:ff");
}

// Defect 23 of the seed: 8 random bits.
TEST(MacAddress, made_at_random_is_unicast_and_local_and_keeps_46_bits_of_chance) {
  std::uint64_t ever_set = 0, ever_clear = 0;
  std::mt19937_64 chance(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t key = random_mac(chance()).key();
    ever_set |= key;
    ever_clear |= ~key;
  }
  EXPECT_EQ(ever_set & 0xffff'ffff'ffff, 0xfeff'ffff'ffffU);
  EXPECT_EQ(ever_clear & 0xffff'ffff'ffff, 0xfdff'ffff'ffffU);
}

}  // namespace
