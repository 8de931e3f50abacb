// SPDX-License-Identifier: BSD-2-Clause
// The processor's counter as a clock: never back, and where the kernel's is.
//
// Mutants: the base is forgotten; the rate is off by a thousandth.
#include "hypercall/trace/cycle_clock.hpp"

#include <gtest/gtest.h>

#include "hypercall/linux_ports.hpp"

namespace {

using namespace vif;
using namespace std::chrono_literals;

TEST(CycleClock, never_goes_back) {
  host::CycleClock clock;
  Time before = clock.now();
  for (int i = 0; i < 100'000; ++i) {
    const Time now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
}

// Each read lies between two of the kernel's clock, however long the thread was away between them. Its rate is measured
// to some 50 ppm; ten times that are let pass.
TEST(CycleClock, is_where_the_kernels_is) {
  host::CycleClock clock;
  host::LinuxClock kernels;
  const Time made = kernels.now();
  while (kernels.now() - made < 300ms) {
    const Time before = kernels.now();
    const Time now = clock.now();
    const Time after = kernels.now();
    const Time drift = (after - made) / 2'000 + 10us;
    ASSERT_GE(now, before - drift);
    ASSERT_LE(now, after + drift);
  }
}

}  // namespace
