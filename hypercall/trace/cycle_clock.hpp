// SPDX-License-Identifier: BSD-2-Clause
// CLOCK_MONOTONIC out of the processor's cycle counter: a third of what clock_gettime(2) costs. Where the counter does
// not run at one speed on all processors it is CLOCK_MONOTONIC itself. The rate is measured once, to some 50 ppm: times
// of one CycleClock are in order and as far apart as they should be, and drift from the host's by milliseconds a
// minute. Any thread.
#pragma once

#include <time.h>

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#include "netstack/base/ports.hpp"

namespace vif::host {

class CycleClock final : public ClockPort {
 public:
  // Takes 10 ms.
  CycleClock() {
    if (!counts_evenly()) return;
    base_ns_ = monotonic_ns();
    base_cycles_ = cycles();
    std::uint64_t passed_ns = 0;
    while (passed_ns < kMeasureNs) passed_ns = monotonic_ns() - base_ns_;
    const std::uint64_t passed = cycles() - base_cycles_;
    if (passed != 0) ns_per_cycle_ = (static_cast<unsigned __int128>(passed_ns) << kShift) / passed;
  }

  std::uint64_t now_ns() const {
    if (ns_per_cycle_ == 0) [[unlikely]]
      return monotonic_ns();
    return base_ns_ + static_cast<std::uint64_t>((cycles() - base_cycles_) * ns_per_cycle_ >> kShift);
  }

  Time now() override { return Time(static_cast<std::int64_t>(now_ns())); }
  std::int64_t wall_ns() override { return ns_of(CLOCK_REALTIME); }

 private:
  static constexpr std::uint64_t kMeasureNs = 10'000'000;
  static constexpr unsigned kShift = 32;

  static std::int64_t ns_of(clockid_t clock) {
    timespec at{};
    ::clock_gettime(clock, &at);
    return at.tv_sec * std::int64_t{1'000'000'000} + at.tv_nsec;
  }
  static std::uint64_t monotonic_ns() { return static_cast<std::uint64_t>(ns_of(CLOCK_MONOTONIC)); }
#if defined(__x86_64__)
  static std::uint64_t cycles() { return __rdtsc(); }
  // AMD64 Architecture Programmer's Manual 3, CPUID Fn8000_0007 EDX bit 8, TscInvariant.
  static bool counts_evenly() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1U << 8) != 0;
  }
#else
  static std::uint64_t cycles() { return 0; }
  static bool counts_evenly() { return false; }
#endif

  std::uint64_t base_ns_ = 0, base_cycles_ = 0;
  unsigned __int128 ns_per_cycle_ = 0;  // << kShift
};

}  // namespace vif::host
