// SPDX-License-Identifier: BSD-2-Clause
// What a replay is asked to do: how fast, how often, how far; and how people write that. Plain values, any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "netstack/base/api.hpp"
#include "netstack/base/ports.hpp"
#include "netstack/base/result.hpp"

namespace vif::net {

struct ReplaySpeed {
  enum class Kind : std::uint8_t {
    recorded,           // the captures' own times, `value` times as fast
    frames_per_second,  // of what is sent: `value` of them
    bits_per_second,    // of whole frames with their Ethernet headers; without preamble, FCS and gap
    top,                // as fast as the wire takes them
  };
  Kind kind = Kind::recorded;
  double value = 1;  // above 0
};

struct ReplayPlan {
  static constexpr std::uint64_t kForever = 0;

  ReplaySpeed speed = {};
  std::optional<Time> gap_max = {};  // of recorded times, as played: longer gaps are cut to this
  std::uint64_t passes = 1;          // through all captures; kForever
  std::uint64_t frames_max = std::numeric_limits<std::uint64_t>::max();  // of the captures, given to the wire
  std::optional<Time> duration = {};                                     // what would be due after it is not sent
};

// "original", "top", "x2.5", "pps=20k", "bps=1.5G"; k, M and G are powers of 1000. EINVAL: anything else, numbers
// below 0.000001 or above 1e12.
VIF_API Result<ReplaySpeed> parse_replay_speed(std::string_view text);

// "250us", "1.5s", "2h": ns, us, ms, s, m or h, up to 10 years. EINVAL: anything else.
VIF_API Result<Time> parse_replay_time(std::string_view text);

}  // namespace vif::net
