// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/mac_table.hpp"

namespace vif::host {
namespace {

constexpr unsigned kRemoteBits = 16;

}  // namespace

// Multiplication by an odd number spreads any set of addresses evenly over the buckets for most such numbers, and here
// the seed chooses it.
std::size_t MacTable::bucket_of(std::uint64_t key) const {
  std::uint64_t mixed = (key ^ (seed_ >> 16)) * (seed_ | 1);
  mixed ^= mixed >> 32;
  mixed *= 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio
  return mixed >> 55;
}

void MacTable::learn(const net::MacAddress& mac, Remote remote, Time now) {
  static_assert(kBuckets == std::size_t{1} << (64 - 55));
  const std::uint64_t key = mac.key();
  if (key == 0 || mac.is_group()) return;
  Bucket& bucket = buckets_[bucket_of(key)];
  std::size_t free = kWays;
  for (std::size_t way = 0; way < kWays; ++way) {
    const std::uint64_t station = bucket.stations[way];
    if (station >> kRemoteBits == key) {
      bucket.stations[way] = key << kRemoteBits | remote;
      bucket.heard[way] = now;
      return;
    }
    if (station == 0) free = way;
  }
  if (free == kWays) return;
  bucket.stations[free] = key << kRemoteBits | remote;
  bucket.heard[free] = now;
}

std::optional<MacTable::Remote> MacTable::find(const net::MacAddress& mac) const {
  const std::uint64_t key = mac.key();
  for (const std::uint64_t station : buckets_[bucket_of(key)].stations) {
    if (station >> kRemoteBits == key && station != 0) return static_cast<Remote>(station);
  }
  return std::nullopt;
}

void MacTable::forget_before(Time since) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    for (std::size_t way = 0; way < kWays; ++way) {
      if (buckets_[i].heard[way] < since) buckets_[i].stations[way] = 0;
    }
  }
}

std::size_t MacTable::size() const {
  std::size_t stations = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    for (const std::uint64_t station : buckets_[i].stations) stations += station != 0;
  }
  return stations;
}

}  // namespace vif::host
