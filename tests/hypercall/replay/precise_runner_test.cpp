// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/precise_runner.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "hypercall/linux_ports.hpp"

namespace {

using namespace vif;
using namespace vif::host;
using namespace std::chrono_literals;

class PreciseRunnerTest : public testing::Test {
 protected:
  Status run() {
    return runner->run([this] { return done; }, [this] { ++looked; }, 1ms);
  }

  LinuxClock clock;
  LinuxRandom random;
  std::unique_ptr<Loop> loop = std::move(*Loop::create(clock, random, {}));
  bool done = false, interrupted = false;
  int looked = 0;
  std::unique_ptr<PreciseRunner> runner =
      std::move(*PreciseRunner::create(*loop, clock, [this] { interrupted = done = true; }));
};

TEST_F(PreciseRunnerTest, runs_callouts_in_turn_and_never_early) {
  const Time begun = clock.now();
  int left = 50;
  Callout next(loop->domain().callouts(), [&] {
    EXPECT_GE(loop->domain().now(), begun + (51 - left) * 200us);
    done = --left == 0;
    next.schedule(begun + (51 - left) * 200us);
  });
  next.schedule(begun + 200us);
  ASSERT_TRUE(run());
  EXPECT_EQ(left, 0);
  EXPECT_GT(looked, 0);
}

TEST_F(PreciseRunnerTest, hears_an_interrupt_while_asleep) {
  Callout raise(loop->domain().callouts(), [] { ::raise(SIGINT); });
  raise.schedule(clock.now() + 1ms);
  ASSERT_TRUE(run());
  EXPECT_TRUE(interrupted);
}

TEST_F(PreciseRunnerTest, hears_an_interrupt_while_there_is_always_more_to_do) {
  Callout busy(loop->domain().callouts(), [&] { busy.schedule(Time(0)); });
  busy.schedule(Time(0));
  ::raise(SIGTERM);
  ASSERT_TRUE(run());
  EXPECT_TRUE(interrupted);
}

}  // namespace
