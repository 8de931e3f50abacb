// SPDX-License-Identifier: BSD-2-Clause
// What the options of an `impair:` link string ask for, in numbers. Values; any thread.
#pragma once

#include <optional>

#include "netstack/base/ports.hpp"
#include "virtif/linkstr.hpp"

namespace vif::host {

// How often something happens, as parts of kCertain.
struct Chance {
  static constexpr std::uint64_t kCertain = std::uint64_t{1} << 53;
  std::uint64_t parts = 0;
};

// Of one direction. Everything off: frames pass as if there were no impairment.
struct ImpairSettings {
  Chance loss, dup, reorder, corrupt;
  Time delay{}, jitter{};
  std::uint64_t rate_bits = 0;           // a second; 0: no limit
  std::uint32_t waiting_frames_max = 0;  // 0: everything is off

  bool off() const { return waiting_frames_max == 0; }
};

struct ImpairRequest {
  ImpairSettings in, out;
  std::optional<std::uint64_t> seed;
};

// EINVAL: an unknown option, or a value that is not what the text says it is to be.
Result<ImpairRequest> parse_impair(const drv::Linkstr& linkstr);

}  // namespace vif::host
