// SPDX-License-Identifier: BSD-2-Clause
// The frames by which a bridge finds out that two of its ports are joined elsewhere, or that one is with itself: it
// hears its own probe.
//
// A probe goes to a group address, so that other switches pass it on, and says which port it left by. It bears a keyed
// hash and a number, so that nobody can make one up, and an old one proves nothing. On the domain's thread.
#pragma once

#include <array>
#include <optional>

#include "netstack/base/ports.hpp"
#include "netstack/inet/seeded_hash.hpp"
#include "netstack/mac_address.hpp"

namespace vif::net {

class LoopProbes {
 public:
  static constexpr MacAddress kGroup{{0x03, 0x76, 0x69, 0x66, 0x6c, 0x70}};  // locally administered: "viflp"
  static constexpr std::size_t kBytes = 60;                                  // the shortest frame of Ethernet

  explicit LoopProbes(RandomPort& random) : bridge_(random.next()), hash_(random.next(), random.next()) {}

  // From now on, what was sent before the round before this one is old.
  void begin_round() { ++round_; }
  // The probe that leaves by `port` in this round.
  std::array<std::byte, kBytes> make(std::uint64_t port, const MacAddress& source) const;
  // Whether a frame is a probe of this bridge, of any round; `bytes` are its first kBytes.
  bool is_ours(Bytes bytes) const;
  // The port it left by; nullopt: it is old.
  std::optional<std::uint64_t> sent_by(Bytes bytes) const;

 private:
  std::uint64_t hash_of(Bytes bytes) const;

  const std::uint64_t bridge_;
  const inet::SeededHash hash_;
  std::uint64_t round_ = 1;
};

}  // namespace vif::net
