// SPDX-License-Identifier: BSD-2-Clause
// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): numbers that nobody outside can foresee
// or make collide. A value; the key is drawn once, from the domain's random port.
#pragma once

#include <bit>
#include <cstdint>

#include "netstack/base/bytes.hpp"

namespace vif::net::inet {

class SeededHash {
 public:
  SeededHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

  std::uint64_t operator()(Bytes bytes) const {
    State s{key0_ ^ 0x736f'6d65'7073'6575, key1_ ^ 0x646f'7261'6e64'6f6d, key0_ ^ 0x6c79'6765'6e65'7261,
            key1_ ^ 0x7465'6462'7974'6573};
    const std::uint64_t total = bytes.size();
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) s.take(load<std::uint64_t, std::endian::little>(bytes.data()));
    std::uint64_t last = total << 56;
    for (std::size_t i = 0; i < bytes.size(); ++i) last |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
    s.take(last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
    void take(std::uint64_t word) {
      v3 ^= word;
      round();
      round();
      v0 ^= word;
    }
  };

  std::uint64_t key0_, key1_;
};

}  // namespace vif::net::inet
