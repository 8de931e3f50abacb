// SPDX-License-Identifier: BSD-2-Clause
// Which remote each station was last heard behind: the forwarding table of a tunnel (RFC 7348, 4.1). Pure; one thread.
//
// Its size is fixed and a question looks at one bucket, whatever an attacker sends; which bucket depends on a seed he
// does not know. When a bucket is full a newcomer is not learned, and what is sent to him goes to every remote: those
// who are known stay known.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "netstack/base/ports.hpp"
#include "netstack/mac_address.hpp"

namespace vif::host {

class MacTable {
 public:
  using Remote = std::uint16_t;
  static constexpr std::size_t kWays = 8;  // a cache line of stations
  static constexpr std::size_t kBuckets = 512;

  explicit MacTable(std::uint64_t seed) : seed_(seed), buckets_(std::make_unique<Bucket[]>(kBuckets)) {}

  // `mac` was heard behind `remote` just now, and moves there. Groups and the zero address are no stations.
  void learn(const net::MacAddress& mac, Remote remote, Time now);
  std::optional<Remote> find(const net::MacAddress& mac) const;
  // Forgets who was not heard since `since`.
  void forget_before(Time since);
  std::size_t size() const;

 private:
  struct Bucket {
    alignas(64) std::array<std::uint64_t, kWays> stations{};  // address above the remote's 16 bits; 0: free
    std::array<Time, kWays> heard{};
  };

  std::size_t bucket_of(std::uint64_t key) const;

  std::uint64_t seed_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace vif::host
