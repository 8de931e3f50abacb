// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/top_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vif::tools {
namespace {

constexpr std::size_t kNameColumns = 10, kStateColumns = 8, kRateColumns = 9;
constexpr std::array<std::string_view, 6> kOrderNames = {"bits", "packets", "received", "sent", "drops", "name"};

double larger_first(const TopRow& row, TopOrder order) {
  switch (order) {
    case TopOrder::bits:
      return row.rx_bps + row.tx_bps;
    case TopOrder::packets:
      return row.rx_pps + row.tx_pps;
    case TopOrder::received:
      return row.rx_bps;
    case TopOrder::sent:
      return row.tx_bps;
    case TopOrder::drops:
      return row.drops_ps;
    case TopOrder::name:
      break;
  }
  return 0;
}

// Counters that were set to zero meanwhile have counted from there.
double increase(std::uint64_t before, std::uint64_t now) {
  return static_cast<double>(now >= before ? now - before : now);
}

std::string line(const std::array<std::string, 7>& cells, std::size_t name_columns) {
  std::string text = fmt::format("{:<{}} {:<{}}", cells[0], name_columns, cells[1], kStateColumns);
  for (std::size_t i = 2; i < cells.size(); ++i) text += fmt::format(" {:>{}}", cells[i], kRateColumns);
  return text;
}

}  // namespace

std::string rate_text(double rate) {
  if (rate <= 0) return "0";
  if (rate < 9.95) return fmt::format("{:.1f}", rate);
  if (rate < 999.5) return fmt::format("{:.0f}", rate);
  constexpr std::string_view kUnits = "kMGTPE";
  for (const char unit : kUnits) {
    rate /= 1000;
    if (rate < 9.995) return fmt::format("{:.2f}{}", rate, unit);
    if (rate < 99.95) return fmt::format("{:.1f}{}", rate, unit);
    if (rate < 999.5) return fmt::format("{:.0f}{}", rate, unit);
  }
  return "much";
}

std::string sparkline(const std::deque<double>& values, std::size_t width) {
  static constexpr std::array<std::string_view, 9> kBars = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t shown = std::min(width, values.size());
  const auto first = values.end() - static_cast<std::ptrdiff_t>(shown);
  const double largest = shown == 0 ? 0 : *std::max_element(first, values.end());
  std::string text;
  for (auto value = first; value != values.end(); ++value) {
    const double part = largest <= 0 ? 0 : std::clamp(*value / largest, 0.0, 1.0);
    text += kBars[static_cast<std::size_t>(std::ceil(part * (kBars.size() - 1)))];
  }
  return text;
}

TopTable::Counters TopTable::counters_of(const Json& link) {
  const Json stats = link.value("stats64", Json::object());
  const Json rx = stats.value("rx", Json::object()), tx = stats.value("tx", Json::object());
  const auto number = [](const Json& counters, const char* key) { return counters.value(key, std::uint64_t{0}); };
  return {number(rx, "packets"), number(rx, "bytes"), number(tx, "packets"), number(tx, "bytes"),
          number(rx, "dropped") + number(rx, "errors") + number(tx, "dropped") + number(tx, "errors")};
}

void TopTable::update(Entry& entry, const Counters& now) const {
  const Counters& before = entry.counters;
  TopRow& row = entry.row;
  row.rx_pps = increase(before.rx_packets, now.rx_packets) / interval_s_;
  row.tx_pps = increase(before.tx_packets, now.tx_packets) / interval_s_;
  row.rx_bps = 8 * increase(before.rx_bytes, now.rx_bytes) / interval_s_;
  row.tx_bps = 8 * increase(before.tx_bytes, now.tx_bytes) / interval_s_;
  row.drops_ps = increase(before.drops, now.drops) / interval_s_;
  row.history.push_back(row.rx_bps + row.tx_bps);
  if (row.history.size() > kHistoryMax) row.history.pop_front();
}

void TopTable::sample(const Json& links, Time at) {
  interval_s_ = std::max(static_cast<double>((at - std::exchange(last_, at)).count()) / 1e9, 1e-6);
  ++samples_;
  std::map<std::uint64_t, Entry> before = std::exchange(entries_, {});
  for (const Json& link : links) {
    const auto index = link.value("ifindex", std::uint64_t{0});
    const Counters now = counters_of(link);
    auto known = before.extract(index);
    Entry entry = known.empty() ? Entry{} : std::move(known.mapped());
    if (!known.empty()) update(entry, now);
    entry.counters = now;
    entry.row.ifname = link.value("ifname", std::string());
    entry.row.operstate = link.value("operstate", std::string());
    entries_.emplace(index, std::move(entry));
  }
}

void TopTable::order_by(char key) {
  const std::size_t at = kKeys.find(key);
  if (at != std::string_view::npos) order_ = static_cast<TopOrder>(at);
}

std::string TopTable::order_text() const {
  std::string text(kOrderNames[static_cast<std::size_t>(order_)]);
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? " (" : ", ", kKeys[i], kOrderNames[i]);
  }
  return text + ")";
}

std::vector<const TopRow*> TopTable::rows() const {
  std::vector<const TopRow*> rows;
  for (const auto& [index, entry] : entries_) rows.push_back(&entry.row);
  const auto earlier = [this](const TopRow* a, const TopRow* b) {
    if (order_ == TopOrder::name) return a->ifname < b->ifname;
    return larger_first(*a, order_) > larger_first(*b, order_);
  };
  std::stable_sort(rows.begin(), rows.end(), earlier);  // the oldest first among equals
  return rows;
}

std::vector<std::string> TopTable::text(std::size_t columns, std::size_t lines) const {
  const std::vector<const TopRow*> all = rows();
  std::size_t name_columns = kNameColumns;
  for (const TopRow* row : all) name_columns = std::max(name_columns, row->ifname.size());
  std::vector<std::string> text = {
      line({"interface", "state", "rx pkt/s", "tx pkt/s", "rx bit/s", "tx bit/s", "drop/s"}, name_columns)};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (text.size() + 1 == lines && all.size() - i > 1) {
      text.push_back(fmt::format("and {} more", all.size() - i));
      break;
    }
    const TopRow& row = *all[i];
    text.push_back(line({row.ifname, row.operstate, rate_text(row.rx_pps), rate_text(row.tx_pps), rate_text(row.rx_bps),
                         rate_text(row.tx_bps), rate_text(row.drops_ps)},
                        name_columns));
  }
  if (all.empty()) text.emplace_back("no interface yet: make one with `virtifctl link add`");
  for (std::string& one : text) one.resize(std::min(one.size(), columns));
  const std::size_t used = text[0].size() + 2;
  for (std::size_t i = 0; i + 1 < text.size() && i < all.size() && used < columns; ++i) {
    if (text[i + 1].size() + 2 == used) text[i + 1] += "  " + sparkline(all[i]->history, columns - used);
  }
  text.resize(std::min(text.size(), lines));
  return text;
}

Json TopTable::json() const {
  Json interfaces = Json::array();
  for (const TopRow* row : rows()) {
    interfaces.push_back({{"ifname", row->ifname},
                          {"operstate", row->operstate},
                          {"rx", {{"pps", row->rx_pps}, {"bps", row->rx_bps}}},
                          {"tx", {{"pps", row->tx_pps}, {"bps", row->tx_bps}}},
                          {"drops_ps", row->drops_ps}});
  }
  return {{"interval_s", interval_s_}, {"interfaces", std::move(interfaces)}};
}

}  // namespace vif::tools
