// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl top` shows: rates of each interface from one reading of its counters to the next, as lines of text or
// as JSON. Pure: readings and their times come in.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/ports.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

enum class TopOrder : std::uint8_t { bits, packets, received, sent, drops, name };

struct TopRow {
  std::string ifname, operstate;
  double rx_pps, tx_pps, rx_bps, tx_bps, drops_ps;  // a second; bits, not bytes; drops and errors of both ways
  std::deque<double> history;                       // bits a second, both ways; the oldest first
};

class TopTable {
 public:
  static constexpr std::size_t kHistoryMax = 512;
  static constexpr std::string_view kKeys = "bprtdn";  // in the order of TopOrder

  // `links` as link.show gives them with stats, at `at`. The second one makes rates.
  void sample(const Json& links, Time at);
  bool has_rates() const { return samples_ > 1; }
  bool has_rows() const { return samples_ > 0; }

  // By a key of kKeys; others change nothing.
  void order_by(char key);

  std::vector<const TopRow*> rows() const;  // in order
  // A heading and a line an interface: at most `lines`, none wider than `columns`. Sparklines fill what is left of a
  // line.
  std::vector<std::string> text(std::size_t columns, std::size_t lines) const;
  // {"interval_s", "interfaces": [{"ifname", "operstate", "rx": {"pps", "bps"}, "tx": {"pps", "bps"}, "drops_ps"}]}
  Json json() const;
  // "bits", and what the other keys are.
  std::string order_text() const;

 private:
  struct Counters {
    std::uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, drops;
  };
  struct Entry {
    Counters counters;
    TopRow row;
  };
  static Counters counters_of(const Json& link);
  void update(Entry& entry, const Counters& now) const;

  std::map<std::uint64_t, Entry> entries_;  // by ifindex
  TopOrder order_ = TopOrder::bits;
  Time last_{};
  double interval_s_ = 0;
  int samples_ = 0;
};

// "0", "0.5", "12", "1.23k", "45.6M": at most five characters.
std::string rate_text(double rate);
// The last `width` values as U+2581 to U+2588 against their largest; a zero is a blank.
std::string sparkline(const std::deque<double>& values, std::size_t width);

}  // namespace vif::tools
