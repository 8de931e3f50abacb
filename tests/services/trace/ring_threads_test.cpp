// SPDX-License-Identifier: BSD-2-Clause
// A ring between a writer and a reader that run at once: nothing is lost without being counted, nothing torn is read.
#include <gtest/gtest.h>

#include <thread>

#include "tests/services/trace/some_ring.hpp"

namespace {

using namespace vif;
using namespace vif::trace;

constexpr std::uint64_t kOffered = 200'000;

void run(WhenFull when_full) {
  SomeRing ring(4, when_full);
  std::atomic<bool> done{false};
  std::thread writing([&] {
    for (std::uint64_t i = 0; i < kOffered; ++i) {
      ring.put(i, 3 * i, 8 + i % 200);
      if (i % 1000 == 0) std::this_thread::yield();
    }
    done.store(true);
  });
  std::uint64_t expected = 0, taken = 0, wrong = 0;
  const auto read = [&] {
    for (const Found& found : ring.take()) {
      expected += found.missed_before;
      wrong += found.number != expected || found.time_ns != 3 * found.number;
      ++expected;
      ++taken;
    }
  };
  while (!done.load()) {
    read();
    std::this_thread::yield();
  }
  writing.join();
  read();
  EXPECT_EQ(wrong, 0U);
  EXPECT_FALSE(ring.damaged);
  EXPECT_GT(taken, 0U);
  EXPECT_EQ(taken + ring.reader.lost(), kOffered);
}

TEST(RingThreads, discarding) { run(WhenFull::discard); }
TEST(RingThreads, overwriting) { run(WhenFull::overwrite); }

}  // namespace
