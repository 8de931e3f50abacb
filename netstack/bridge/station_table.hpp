// SPDX-License-Identifier: BSD-2-Clause
// Which port of a bridge a station was last heard on: a table of fixed size, nothing allocated after it is made.
//
// Full, it forgets the station of longest silence on the port that has most of them, so whoever makes up addresses
// displaces those of his own port. Static stations are neither forgotten nor displaced. On the domain's thread.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/ports.hpp"
#include "netstack/inet/seeded_hash.hpp"
#include "netstack/mac_address.hpp"

namespace vif::net {

// A station of a VLAN as one number; no VLAN is 0.
constexpr std::uint64_t station_key(std::uint16_t vlan, std::uint64_t address) {
  return std::uint64_t{vlan} << 48 | address;
}
constexpr std::uint16_t station_vlan(std::uint64_t key) { return static_cast<std::uint16_t>(key >> 48); }

class VIF_API StationTable {
 public:
  static constexpr std::size_t kPortsMax = 64;

  struct Station {
    std::uint64_t key = 0;
    Time seen{};
    Time moves_since{};
    std::uint32_t moves = 0;  // between ports, since moves_since
    std::uint8_t port = 0;
    bool is_static = false;

   private:
    friend class StationTable;
    std::uint32_t chain = 0;               // the next of its bucket, or of the free
    std::uint32_t older = 0, younger = 0;  // by `seen`, on its port
  };

  // At least one station; `age` is the silence after which one is forgotten.
  StationTable(std::size_t stations_max, Time age, const inet::SeededHash& hash);

  // Null: not known, or forgotten.
  Station* find(std::uint64_t key, Time now);
  // A new one, whose key is not known; null when every place has a static one.
  Station* add(std::uint64_t key, std::uint8_t port, Time now, bool is_static = false);
  void heard(Station& station, Time now);
  // Heard on another port; how often it has moved stays known.
  void move(Station& station, std::uint8_t port, Time now);
  void remove(Station& station);
  // Forgets the stations of which `is_wanted(station)` is false.
  template <class IsWanted>
  void keep(IsWanted is_wanted) {
    for (std::uint32_t i = 1; i < stations_.size(); ++i) {
      if (stations_[i].key != 0 && !is_wanted(std::as_const(stations_[i]))) remove(stations_[i]);
    }
  }
  // Those that are not forgotten, by key.
  std::vector<Station> list(Time now) const;

  // Of the port as long as it is one: stations now, and stations displaced before they were silent for long.
  std::size_t count(std::uint8_t port) const { return ports_[port].count; }
  std::uint64_t displaced(std::uint8_t port) const { return ports_[port].displaced; }
  void forget_port(std::uint8_t port);

 private:
  using Index = std::uint32_t;  // into stations_; 0: none

  struct PortList {
    Index oldest = 0, youngest = 0;  // of those that are not static
    std::size_t learned = 0, count = 0;
    std::uint64_t displaced = 0;
  };

  bool is_stale(const Station& station, Time now) const { return !station.is_static && now - station.seen > age_; }
  Index& bucket(std::uint64_t key);
  Index index_of(const Station& station) const { return static_cast<Index>(&station - stations_.data()); }
  bool make_room(Time now);
  void link_youngest(Station& station);
  void unlink(Station& station);

  const Time age_;
  const inet::SeededHash hash_;
  std::vector<Station> stations_;  // the first is none
  std::vector<Index> buckets_;     // a power of two of them
  std::array<PortList, kPortsMax> ports_{};
  Index free_ = 0;
};

}  // namespace vif::net
