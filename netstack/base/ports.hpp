// SPDX-License-Identifier: BSD-2-Clause
// What pure code may ask of its host: the time and chance. hypercall/ answers on Linux, hypercall/sim/ under test.
#pragma once

#include <chrono>
#include <cstdint>

namespace vif {

// Time inside a domain: nanoseconds since an epoch of the host's choosing; never goes back.
using Time = std::chrono::nanoseconds;

// Any thread.
class ClockPort {
 public:
  virtual ~ClockPort() = default;
  virtual Time now() = 0;              // monotonic
  virtual std::int64_t wall_ns() = 0;  // ns since 1970-01-01 UTC; may step
};

// Any thread. Not for keys: good enough for addresses and jitter.
class RandomPort {
 public:
  virtual ~RandomPort() = default;
  virtual std::uint64_t next() = 0;
};

}  // namespace vif
