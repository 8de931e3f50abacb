// SPDX-License-Identifier: BSD-2-Clause
// A domain whose owner sleeps for real while other threads bring work. A lost wake-up shows as a test that never ends;
// a race shows under TSan.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "hypercall/sim/sim_host.hpp"
#include "netstack/domain.hpp"

namespace {

using namespace vif;
using namespace vif::net;

// Sleeps until woken, and forgets the wake-up it slept through.
class SleepingOwner final : public WakePort {
 public:
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    condition_.notify_one();
  }
  void sleep() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [&] { return woken_; });
    woken_ = false;
    ++sleeps;
  }
  int sleeps = 0;

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
};

// Stands for an interface: its backend counts `offered` up and marks it ready; poll takes what is there.
struct Meter final : Pollable {
  bool poll(std::size_t budget) override {
    const std::uint64_t there = offered.load();
    taken = std::min(there, taken + budget);
    return taken < there;
  }
  std::atomic<std::uint64_t> offered{0};
  std::uint64_t taken = 0;
};

constexpr int kProducers = 4;
constexpr std::uint32_t kEach = 20'000;

class ManyThreads : public testing::Test {
 protected:
  template <class Done>
  void run_owner_until(Done done) {
    while (!done()) {
      while (domain.poll(Time(0), 8)) continue;
      if (!done() && domain.may_sleep()) owner.sleep();
    }
  }

  host::sim::SimRandom random{1};
  SleepingOwner owner;
  Domain domain{
      {.pool = {.counts = {8, 0, 0, 0}, .external = 0}, .interfaces_max = 100, .inbox_commands = 64}, random, owner};
};

// Each accepted command runs exactly once, in the order of its producer; a refused one never runs.
TEST_F(ManyThreads, lose_no_command_and_no_wake_up) {
  std::vector<std::vector<std::uint32_t>> ran(kProducers);
  int finished = 0;
  std::atomic<std::uint64_t> refusals{0};
  std::vector<std::thread> producers;
  for (std::size_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (std::uint32_t i = 0; i < kEach; ++i) {
        while (!domain.post([&ran, p, i] { ran[p].push_back(i); })) {
          ++refusals;
          std::this_thread::yield();
        }
      }
      while (!domain.post([&finished] { ++finished; })) std::this_thread::yield();
    });
  }
  run_owner_until([&] { return finished == kProducers; });
  for (std::thread& producer : producers) producer.join();
  for (const auto& of_one : ran) {
    ASSERT_EQ(of_one.size(), kEach);
    for (std::uint32_t i = 0; i < kEach; ++i) ASSERT_EQ(of_one[i], i);
  }
  RecordProperty("refusals", static_cast<int>(refusals.load()));
  RecordProperty("sleeps", owner.sleeps);
}

TEST_F(ManyThreads, lose_no_interface_that_was_marked_ready) {
  std::vector<std::unique_ptr<Meter>> meters;
  for (int i = 0; i < 100; ++i) {
    meters.push_back(std::make_unique<Meter>());
    ASSERT_EQ(domain.enter(*meters.back()), static_cast<std::size_t>(i));
  }
  std::vector<std::thread> producers;
  for (std::size_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (std::size_t i = 0; i < kEach; ++i) {
        const std::size_t slot = (i * 37 + p * 11) % meters.size();
        meters[slot]->offered.fetch_add(1);
        domain.ready(slot);
        if (i % 64 == 0) std::this_thread::yield();  // let the owner fall asleep now and then
      }
    });
  }
  std::uint64_t total = 0;
  run_owner_until([&] {
    total = 0;
    for (const auto& meter : meters) total += meter->taken;
    return total == std::uint64_t{kProducers} * kEach;
  });
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(total, std::uint64_t{kProducers} * kEach);
}

// The hardest case for the edge: one thread, one piece of work at a time, the owner asleep before each.
TEST_F(ManyThreads, wake_a_sleeper_for_every_single_piece_of_work) {
  Meter meter;
  const auto slot = domain.enter(meter);
  std::atomic<std::uint64_t> answered{0};
  std::thread producer([&] {
    for (std::uint64_t i = 1; i <= 5'000; ++i) {
      if (i % 2 == 0) {
        meter.offered.fetch_add(2);
        domain.ready(*slot);
      } else {
        while (!domain.post([&] { ++answered; })) std::this_thread::yield();
      }
      while (i % 2 == 1 && answered.load() < i / 2 + 1) std::this_thread::yield();
    }
  });
  run_owner_until([&] { return answered == 2'500 && meter.taken == 5'000; });
  producer.join();
}

// Readable from any thread while the owner takes and returns.
TEST_F(ManyThreads, never_read_a_pool_with_more_in_use_than_it_has) {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> worst{0};
  std::thread reader([&] {
    while (!stop.load()) worst = std::max(worst.load(), domain.pool().in_use());
  });
  for (int i = 0; i < 200'000; ++i) {
    const MbufPtr a = domain.pool().get(60), b = domain.pool().get(60);
  }
  stop = true;
  reader.join();
  EXPECT_LE(worst.load(), 2U);
}

}  // namespace
