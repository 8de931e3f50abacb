// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/multicast_list.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace vif;
using namespace vif::net;

MacAddress mac(const char* text) { return *MacAddress::parse(text); }

const MacRange kMdns = MacRange::single(mac("01:00:5e:00:00:fb"));
const MacRange kAllHosts = MacRange::single(mac("01:00:5e:00:00:01"));

TEST(MulticastList, asks_for_the_filter_at_the_first_join_and_the_last_leave_only) {
  MulticastList groups;
  EXPECT_EQ(*groups.add(kMdns), Reprogram::yes);
  EXPECT_EQ(*groups.add(kMdns), Reprogram::no);
  EXPECT_EQ(*groups.add(kAllHosts), Reprogram::yes);
  EXPECT_EQ(*groups.remove(kMdns), Reprogram::no);
  EXPECT_EQ(groups.entries().size(), 2U);
  EXPECT_EQ(*groups.remove(kMdns), Reprogram::yes);
  ASSERT_EQ(groups.entries().size(), 1U);
  EXPECT_EQ(groups.entries()[0].range, kAllHosts);
}

TEST(MulticastList, refuses_to_leave_what_was_not_joined) {
  MulticastList groups;
  EXPECT_EQ(groups.remove(kMdns).error().number(), ENXIO);
  ASSERT_TRUE(groups.add(kMdns));
  const MacRange around{kAllHosts.lo, kMdns.hi};
  EXPECT_EQ(groups.remove(around).error().number(), ENXIO) << "a range is an entry of its own";
  ASSERT_TRUE(groups.remove(kMdns));
  const auto again = groups.remove(kMdns);
  EXPECT_EQ(again.error().number(), ENXIO);
  EXPECT_NE(again.error().text.find("01:00:5e:00:00:fb"), std::string::npos);
}

TEST(MulticastList, refuses_addresses_that_are_no_groups) {
  MulticastList groups;
  const MacAddress unicast = mac("02:00:5e:00:00:01");
  for (const MacRange& wrong : {MacRange::single(unicast), MacRange::single({}), MacRange{unicast, kMdns.hi},
                                MacRange{kMdns.lo, unicast}, MacRange{kMdns.lo, kAllHosts.lo}}) {
    EXPECT_EQ(groups.add(wrong).error().number(), EINVAL);
    EXPECT_EQ(groups.remove(wrong).error().number(), EINVAL);
  }
  EXPECT_TRUE(groups.entries().empty());
}

TEST(MulticastList, knows_whether_it_holds_a_range) {
  MulticastList groups;
  const MacRange ipv4 = ipv4_group({0, 0, 0, 0}), ipv6 = ipv6_group({});
  ASSERT_TRUE(groups.add(kMdns));
  EXPECT_FALSE(groups.has_range());
  ASSERT_TRUE(groups.add(ipv4));
  ASSERT_TRUE(groups.add(ipv4));
  ASSERT_TRUE(groups.add(ipv6));
  EXPECT_TRUE(groups.has_range());
  ASSERT_TRUE(groups.remove(ipv4));
  ASSERT_TRUE(groups.remove(ipv6));
  EXPECT_TRUE(groups.has_range()) << "one reference is left";
  ASSERT_TRUE(groups.remove(ipv4));
  EXPECT_FALSE(groups.has_range());
}

TEST(MulticastList, lists_entries_in_address_order) {
  MulticastList groups;
  const MacRange ipv4 = ipv4_group({0, 0, 0, 0});
  for (const MacRange& range : {ipv6_group({}), kMdns, ipv4, kAllHosts}) ASSERT_TRUE(groups.add(range));
  std::vector<MacRange> ranges;
  for (const auto& entry : groups.entries()) ranges.push_back(entry.range);
  EXPECT_EQ(ranges, (std::vector<MacRange>{ipv4, kAllHosts, kMdns, ipv6_group({})}));
}

TEST(MulticastList, is_bounded) {
  MulticastList groups;
  const auto group = [](std::size_t i) { return MacRange::single(MacAddress::from_key(0x0100'5e00'0000 + i)); };
  for (std::size_t i = 0; i < MulticastList::kEntriesMax; ++i) ASSERT_TRUE(groups.add(group(i)));
  EXPECT_EQ(groups.add(group(MulticastList::kEntriesMax)).error().number(), ENOBUFS);
  EXPECT_TRUE(groups.add(group(7))) << "another reference needs no entry";
}

}  // namespace
