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
    base_ = moment();
    Moment end = base_;
    while (end.ns - base_.ns < kMeasureNs) end = moment();
    if (end.cycles != base_.cycles) {
      ns_per_cycle_ = (static_cast<Wide>(end.ns - base_.ns) << kShift) / (end.cycles - base_.cycles);
    }
  }

  std::uint64_t now_ns() const {
    if (ns_per_cycle_ == 0) [[unlikely]]
      return monotonic_ns();
    return base_.ns + static_cast<std::uint64_t>((cycles() - base_.cycles) * ns_per_cycle_ >> kShift);
  }

  Time now() override { return Time(static_cast<std::int64_t>(now_ns())); }
  std::int64_t wall_ns() override { return ns_of(CLOCK_REALTIME); }

 private:
  __extension__ using Wide = unsigned __int128;  // no part of ISO C++

  static constexpr std::uint64_t kMeasureNs = 10'000'000;
  static constexpr unsigned kShift = 32;

  // Both clocks at once.
  struct Moment {
    std::uint64_t ns = 0, cycles = 0;
  };

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

  // The reads that lay closest together: between two others the thread may have been away.
  static Moment moment() {
    Moment closest;
    for (std::uint64_t tries = 16, shortest = UINT64_MAX; tries > 0; --tries) {
      const std::uint64_t before = cycles(), ns = monotonic_ns(), passed = cycles() - before;
      if (passed >= shortest) continue;
      shortest = passed;
      closest = {ns, before + passed / 2};
    }
    return closest;
  }

  Moment base_;
  Wide ns_per_cycle_ = 0;  // << kShift
};

}  // namespace vif::host
