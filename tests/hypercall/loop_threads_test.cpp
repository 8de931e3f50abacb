// SPDX-License-Identifier: BSD-2-Clause
// A foreign event loop that really sleeps in poll(2) while other threads bring work. A lost wake-up is a test that
// never ends.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"

namespace {

using namespace vif;

class SleepingLoop : public testing::Test {
 protected:
  template <class Done>
  void run_until(Done done) {
    while (!done()) {
      pollfd waited{loop->fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&waited, 1, -1), 1);
      loop->poll(16);
    }
  }
  host::LinuxClock clock;
  host::LinuxRandom random;
  std::unique_ptr<host::Loop> loop = std::move(*host::Loop::create(clock, random, {.inbox_commands = 64}));
};

// One command at a time: the loop is asleep, or about to be, before each.
TEST_F(SleepingLoop, is_woken_for_every_single_command) {
  constexpr int kCommands = 5'000;
  std::atomic<int> answered{0};
  std::thread other([&] {
    for (int i = 0; i < kCommands; ++i) {
      while (!loop->domain().post([&] { ++answered; })) std::this_thread::yield();
      while (answered <= i) std::this_thread::yield();
    }
  });
  run_until([&] { return answered == kCommands; });
  other.join();
}

TEST_F(SleepingLoop, is_woken_by_many_threads_at_once) {
  constexpr int kThreads = 4, kEach = 5'000;
  int ran = 0;
  std::vector<std::thread> others;
  for (int thread = 0; thread < kThreads; ++thread) {
    others.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        while (!loop->domain().post([&] { ++ran; })) std::this_thread::yield();
        if (i % 32 == 0) std::this_thread::yield();
      }
    });
  }
  run_until([&] { return ran == kThreads * kEach; });
  for (std::thread& other : others) other.join();
}

TEST_F(SleepingLoop, is_woken_by_wake_itself) {
  std::atomic<int> asked{0};
  int seen = 0;
  std::thread other([&] {
    for (int i = 0; i < 2'000; ++i) {
      ++asked;
      loop->wake();
    }
  });
  run_until([&] { return (seen = asked) == 2'000; });
  other.join();
}

// What commands write and lookers read is never half done; TSan sees whether anything is between them.
TEST_F(SleepingLoop, lets_other_threads_look_while_nobody_polls) {
  constexpr int kCommands = 5'000;
  int first = 0, second = 0;
  std::atomic<bool> done{false};
  int looks = 0;
  std::thread other([&] {
    for (int i = 0; i < kCommands; ++i) {
      while (!loop->domain().post([&] { ++first, ++second; })) std::this_thread::yield();
      looks += loop->try_look([&] { EXPECT_EQ(first, second); });
    }
    while (!loop->domain().post([&] { done = true; })) std::this_thread::yield();
  });
  run_until([&] { return done.load(); });
  other.join();
  EXPECT_EQ(first, kCommands);
  EXPECT_TRUE(loop->try_look([&] { ++looks; })) << "asleep, it is there to be looked at";
  EXPECT_GT(looks, 0);
  ASSERT_TRUE(loop->domain().post([&] {
    std::thread looker([&] { EXPECT_FALSE(loop->try_look([] { FAIL() << "in the middle of a poll"; })); });
    looker.join();
  }));
  loop->poll(16);
  loop->unlooked([&] {
    std::thread looker([&] { EXPECT_FALSE(loop->try_look([] { FAIL() << "while somebody changes it"; })); });
    looker.join();
  });
}

}  // namespace
