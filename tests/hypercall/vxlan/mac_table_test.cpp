// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/mac_table.hpp"

#include <gtest/gtest.h>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

net::MacAddress station(std::uint64_t number) { return net::MacAddress::from_key(0x0200'0000'0000 + number); }

TEST(MacTable, knows_who_was_heard_and_where_last) {
  host::MacTable table(1);
  EXPECT_EQ(table.find(kPeerMac), std::nullopt);
  table.learn(kPeerMac, 3, 1s);
  EXPECT_EQ(table.find(kPeerMac), 3);
  EXPECT_EQ(table.find(kOurMac), std::nullopt);
  table.learn(kPeerMac, 65'534, 2s);
  EXPECT_EQ(table.find(kPeerMac), 65'534);
  EXPECT_EQ(table.size(), 1U);
}

TEST(MacTable, learns_no_address_that_is_no_station) {
  host::MacTable table(1);
  for (const net::MacAddress& mac : {kGroupMac, net::kBroadcast, net::MacAddress{}}) {
    table.learn(mac, 0, 1s);
    EXPECT_EQ(table.find(mac), std::nullopt);
  }
  EXPECT_EQ(table.size(), 0U);
}

TEST(MacTable, forgets_who_is_silent) {
  host::MacTable table(1);
  table.learn(station(1), 0, 10s);
  table.learn(station(2), 0, 20s);
  table.learn(station(1), 0, 30s);
  table.forget_before(20s);
  EXPECT_EQ(table.size(), 2U);
  table.forget_before(21s);
  EXPECT_EQ(table.find(station(2)), std::nullopt);
  EXPECT_EQ(table.find(station(1)), 0);
}

// A network of some size fits, whatever the addresses look like: one vendor's, counted up, or with equal low bits.
TEST(MacTable, holds_a_thousand_stations) {
  for (const std::uint64_t stride : {1ULL, 256ULL, 1ULL << 24}) {
    for (const std::uint64_t seed : {0ULL, 1ULL, 0x9e37'79b9'7f4a'7c15ULL}) {
      host::MacTable table(seed);
      for (std::uint64_t i = 0; i < 1000; ++i) {
        table.learn(net::MacAddress::from_key((0x0200'0000'0001 + i * stride) & 0xfeff'ffff'ffff), 7, 1s);
      }
      EXPECT_GE(table.size(), 980U) << "stride " << stride << ", seed " << seed;
    }
  }
}

TEST(MacTable, keeps_those_it_knows_when_somebody_makes_up_addresses) {
  host::MacTable table(42);
  for (std::uint64_t i = 0; i < 500; ++i) table.learn(station(i), 1, 1s);
  std::vector<std::uint64_t> known;
  for (std::uint64_t i = 0; i < 500; ++i) {
    if (table.find(station(i))) known.push_back(i);
  }
  EXPECT_GE(known.size(), 495U);
  for (std::uint64_t i = 0; i < 100'000; ++i) table.learn(station(1'000'000 + i * 977), 2, 1s);
  EXPECT_LE(table.size(), host::MacTable::kWays * host::MacTable::kBuckets);
  for (const std::uint64_t i : known) EXPECT_EQ(table.find(station(i)), 1) << i;
}

// Addresses that collide under one seed are as good as any under another.
TEST(MacTable, spreads_by_its_seed) {
  std::vector<std::uint64_t> crowded;
  host::MacTable probe(7);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::size_t before = probe.size();
    probe.learn(station(i), 0, 1s);
    if (probe.size() == before) crowded.push_back(i);  // for a bucket that is full
  }
  ASSERT_GT(crowded.size(), 1000U);
  host::MacTable other(8);
  for (std::size_t i = 0; i < 1000; ++i) other.learn(station(crowded[i * crowded.size() / 1000]), 0, 1s);
  EXPECT_GE(other.size(), 950U);
}

}  // namespace
