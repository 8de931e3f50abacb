// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bridge/station_table.hpp"

#include <algorithm>
#include <bit>

namespace vif::net {

StationTable::StationTable(std::size_t stations_max, Time age, const inet::SeededHash& hash)
    : age_(age), hash_(hash), stations_(stations_max + 1), buckets_(std::bit_ceil(stations_max)) {
  for (Index i = static_cast<Index>(stations_max); i > 0; --i) stations_[i].chain = std::exchange(free_, i);
}

StationTable::Index& StationTable::bucket(std::uint64_t key) {
  std::array<std::byte, sizeof key> bytes;
  std::memcpy(bytes.data(), &key, sizeof key);
  return buckets_[hash_(bytes) & (buckets_.size() - 1)];
}

StationTable::Station* StationTable::find(std::uint64_t key, Time now) {
  Index at = bucket(key);
  while (at != 0 && stations_[at].key != key) at = stations_[at].chain;
  if (at == 0) return nullptr;
  if (!is_stale(stations_[at], now)) return &stations_[at];
  remove(stations_[at]);
  return nullptr;
}

StationTable::Station* StationTable::add(std::uint64_t key, std::uint8_t port, Time now, bool is_static) {
  if (free_ == 0 && !make_room(now)) return nullptr;
  Station& station = stations_[free_];
  free_ = station.chain;
  station = Station{};
  station.key = key;
  station.seen = station.moves_since = now;
  station.port = port;
  station.is_static = is_static;
  Index& first = bucket(key);
  station.chain = std::exchange(first, index_of(station));
  link_youngest(station);
  return &station;
}

bool StationTable::make_room(Time now) {
  PortList& most = *std::max_element(ports_.begin(), ports_.end(),
                                     [](const PortList& a, const PortList& b) { return a.learned < b.learned; });
  if (most.oldest == 0) return false;
  Station& oldest = stations_[most.oldest];
  if (!is_stale(oldest, now)) ++most.displaced;
  remove(oldest);
  return true;
}

// Not in order of the very frame: to tell so exactly would cost every frame three cache lines.
void StationTable::heard(Station& station, Time now) {
  constexpr int kPartsOfAge = 64;
  if (station.is_static || now - station.seen < age_ / kPartsOfAge) return;
  unlink(station);
  station.seen = now;
  link_youngest(station);
}

void StationTable::move(Station& station, std::uint8_t port, Time now) {
  unlink(station);
  station.port = port;
  station.seen = now;
  link_youngest(station);
}

void StationTable::remove(Station& station) {
  Index* at = &bucket(station.key);
  while (*at != index_of(station)) at = &stations_[*at].chain;
  *at = station.chain;
  unlink(station);
  station.key = 0;
  station.chain = std::exchange(free_, index_of(station));
}

void StationTable::forget_port(std::uint8_t port) {
  keep([port](const Station& station) { return station.port != port; });
  ports_[port] = {};
}

std::vector<StationTable::Station> StationTable::list(Time now) const {
  std::vector<Station> all;
  std::copy_if(stations_.begin(), stations_.end(), std::back_inserter(all),
               [&](const Station& station) { return station.key != 0 && !is_stale(station, now); });
  std::sort(all.begin(), all.end(), [](const Station& a, const Station& b) { return a.key < b.key; });
  return all;
}

void StationTable::link_youngest(Station& station) {
  PortList& list = ports_[station.port];
  ++list.count;
  if (station.is_static) return;
  ++list.learned;
  station.younger = 0;
  station.older = std::exchange(list.youngest, index_of(station));
  (station.older != 0 ? stations_[station.older].younger : list.oldest) = list.youngest;
}

void StationTable::unlink(Station& station) {
  PortList& list = ports_[station.port];
  --list.count;
  if (station.is_static) return;
  --list.learned;
  (station.older != 0 ? stations_[station.older].younger : list.oldest) = station.younger;
  (station.younger != 0 ? stations_[station.younger].older : list.youngest) = station.older;
}

}  // namespace vif::net
