// SPDX-License-Identifier: BSD-2-Clause
// Chance that can be repeated: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
// Pure functions; not for keys.
#pragma once

#include <cstdint>

namespace vif {

inline constexpr std::uint64_t kSplitmixStep = 0x9e37'79b9'7f4a'7c15;

// Number `index` of the sequence that begins with `seed`.
constexpr std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * kSplitmixStep;
  z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
  z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
  return z ^ z >> 31;
}

}  // namespace vif
