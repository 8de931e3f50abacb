// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/top_table.hpp"

#include <gtest/gtest.h>

namespace {

using namespace vif;
using namespace vif::tools;
using namespace std::chrono_literals;

// An interface as link.show gives it: what it has received, sent and dropped.
Json link(std::uint64_t index, const std::string& ifname, std::uint64_t rx, std::uint64_t tx, std::uint64_t drops = 0) {
  return {{"ifindex", index},
          {"ifname", ifname},
          {"operstate", "UP"},
          {"stats64",
           {{"rx", {{"packets", rx}, {"bytes", rx * 100}, {"errors", drops}, {"dropped", 0}}},
            {"tx", {{"packets", tx}, {"bytes", tx * 100}, {"errors", 0}, {"dropped", 0}}}}}};
}
std::vector<std::string> names(const TopTable& table) {
  std::vector<std::string> names;
  for (const TopRow* row : table.rows()) names.push_back(row->ifname);
  return names;
}

TEST(TopTable, makes_rates_of_counters) {
  TopTable table;
  table.sample(Json::array({link(1, "virt0", 10, 20)}), 1s);
  EXPECT_FALSE(table.has_rates());
  table.sample(Json::array({link(1, "virt0", 110, 40, 6)}), 3s);
  ASSERT_TRUE(table.has_rates());
  const TopRow& row = *table.rows()[0];
  EXPECT_EQ(row.rx_pps, 50);
  EXPECT_EQ(row.tx_pps, 10);
  EXPECT_EQ(row.rx_bps, 40'000);
  EXPECT_EQ(row.drops_ps, 3);
  EXPECT_EQ(table.json().dump(),
            R"({"interval_s":2.0,"interfaces":[{"ifname":"virt0","operstate":"UP","rx":{"pps":50.0,"bps":40000.0},)"
            R"("tx":{"pps":10.0,"bps":8000.0},"drops_ps":3.0}]})");
  table.sample(Json::array({link(1, "virt0", 5, 0)}), 4s);
  EXPECT_EQ(table.rows()[0]->rx_pps, 5) << "the counters were set to zero";
}

TEST(TopTable, forgets_what_went_and_begins_anew_with_what_came) {
  TopTable table;
  table.sample(Json::array({link(1, "virt0", 0, 0)}), 0s);
  table.sample(Json::array({link(1, "virt0", 100, 0)}), 1s);
  table.sample(Json::array({link(2, "virt0", 7, 0)}), 2s);
  EXPECT_EQ(table.rows()[0]->rx_pps, 0) << "another one of this name";
  EXPECT_TRUE(table.rows()[0]->history.empty());
  table.sample(Json::array(), 3s);
  EXPECT_TRUE(table.rows().empty());
  EXPECT_NE(table.text(80, 10).at(1).find("link add"), std::string::npos);
}

TEST(TopTable, sorts_as_its_keys_say) {
  TopTable table;
  table.sample(Json::array({link(1, "c", 0, 0), link(2, "a", 0, 0), link(3, "b", 0, 0)}), 0s);
  table.sample(Json::array({link(1, "c", 5, 1), link(2, "a", 1, 7), link(3, "b", 0, 0, 1)}), 1s);
  EXPECT_EQ(names(table), (std::vector<std::string>{"a", "c", "b"}));
  table.order_by('n');
  EXPECT_EQ(names(table), (std::vector<std::string>{"a", "b", "c"}));
  table.order_by('r');
  EXPECT_EQ(names(table), (std::vector<std::string>{"c", "a", "b"}));
  table.order_by('d');
  EXPECT_EQ(names(table), (std::vector<std::string>{"b", "c", "a"})) << "the oldest first among equals";
  table.order_by('x');
  EXPECT_TRUE(table.order_text().starts_with("drops (b bits, p packets,")) << table.order_text();
}

TEST(TopTable, fits_where_it_is_shown) {
  TopTable table;
  for (std::uint64_t at = 0; at <= 30; ++at) {
    Json links = Json::array();
    for (std::uint64_t i = 1; i <= 5; ++i) links.push_back(link(i, "virt" + std::to_string(i), i * 1000 * at * at, 0));
    table.sample(links, std::chrono::seconds(at));
  }
  const std::vector<std::string> wide = table.text(80, 50);
  ASSERT_EQ(wide.size(), 6U);
  EXPECT_EQ(wide[0], "interface  state     rx pkt/s  tx pkt/s  rx bit/s  tx bit/s    drop/s");
  EXPECT_EQ(wide[1], "virt5      UP            295k         0      236M         0         0  ▆▇▇▇▇████");
  EXPECT_EQ(table.text(40, 50)[1].size(), 40U);
  const std::vector<std::string> low = table.text(80, 4);
  EXPECT_EQ(low.size(), 4U);
  EXPECT_EQ(low.back(), "and 3 more");
  EXPECT_TRUE(table.text(0, 0).empty());
}

TEST(RateText, says_three_digits_and_a_unit) {
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_EQ(rate_text(0.52), "0.5");
  EXPECT_EQ(rate_text(9.96), "10");
  EXPECT_EQ(rate_text(999.4), "999");
  EXPECT_EQ(rate_text(999.6), "1.00k");
  EXPECT_EQ(rate_text(12'340), "12.3k");
  EXPECT_EQ(rate_text(123'400'000), "123M");
  EXPECT_EQ(rate_text(9.9999e9), "10.0G");
  for (double rate = 1e-3; rate < 1e20; rate *= 1.01) EXPECT_LE(rate_text(rate).size(), 5U) << rate;
}

TEST(Sparkline, is_against_the_largest) {
  EXPECT_EQ(sparkline({0, 1, 4, 8}, 10), " ▁▄█");
  EXPECT_EQ(sparkline({0, 1, 4, 8}, 2), "▄█");
  EXPECT_EQ(sparkline({8, 4, 4}, 2), "██") << "of those that are shown";
  EXPECT_EQ(sparkline({0, 0}, 5), "  ");
  EXPECT_EQ(sparkline({}, 5), "");
}

}  // namespace
