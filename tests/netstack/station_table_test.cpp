// SPDX-License-Identifier: BSD-2-Clause
// The table against a map that is never full, and the one rule that a map does not have.
#include "netstack/bridge/station_table.hpp"

#include <gtest/gtest.h>

#include <map>

#include "netstack/base/splitmix.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace std::chrono_literals;

StationTable table_of(std::size_t stations) { return {stations, 300s, inet::SeededHash{1, 2}}; }

TEST(StationTable, agrees_with_a_map_as_long_as_there_is_room) {
  StationTable table = table_of(100);
  std::map<std::uint64_t, std::pair<std::uint8_t, Time>> model;
  Time now{};
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const std::uint64_t chance = splitmix64(7, step);
    const std::uint64_t key = 1 + chance % 100;
    const auto port = static_cast<std::uint8_t>(chance >> 32 & 3);
    now += 1s;
    std::erase_if(model, [&](const auto& entry) { return now - entry.second.second > 300s; });
    StationTable::Station* const known = table.find(key, now);
    ASSERT_EQ(known != nullptr, model.contains(key)) << step;
    if (known == nullptr) {
      ASSERT_NE(table.add(key, port, now), nullptr);
      model[key] = {port, now};
    } else if ((chance >> 40 & 3) == 0) {
      table.remove(*known);
      model.erase(key);
    } else {
      ASSERT_EQ(known->port, model[key].first);
      table.move(*known, port, now);
      model[key] = {port, now};
    }
  }
  const auto all = table.list(now);
  ASSERT_EQ(all.size(), model.size());
  for (const auto& station : all) EXPECT_EQ(station.port, model[station.key].first);
}

TEST(StationTable, displaces_the_longest_silent_of_the_port_with_most) {
  StationTable table = table_of(4);
  for (const std::uint64_t key : {1U, 2U, 3U}) table.add(key, 0, Time(static_cast<Time::rep>(key)));
  table.add(4, 1, 4ns);
  table.heard(*table.find(1, 20s), 20s);
  table.add(5, 2, 21s);
  EXPECT_EQ(table.find(2, 21s), nullptr);
  EXPECT_NE(table.find(1, 21s), nullptr);
  EXPECT_EQ(table.displaced(0), 1U);
  EXPECT_EQ(table.count(0), 2U);
  table.forget_port(0);
  EXPECT_EQ(table.list(21s).size(), 2U);
  EXPECT_EQ(table.displaced(0), 0U);
}

TEST(StationTable, whoever_is_silent_too_long_is_not_displaced_but_gone) {
  StationTable table = table_of(4);
  for (const std::uint64_t key : {1U, 2U, 3U, 4U}) table.add(key, 0, 0s);
  EXPECT_NE(table.add(5, 1, 301s), nullptr);
  EXPECT_EQ(table.displaced(0), 0U);
  EXPECT_EQ(table.list(301s).size(), 1U);
}

}  // namespace
