// SPDX-License-Identifier: BSD-2-Clause
// When callouts run, in which order, and that an action may do anything to the queue it runs from.
#include "netstack/base/callout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>

namespace {

using namespace vif;

Time at(std::int64_t ns) { return Time(ns); }

class Callouts : public testing::Test {
 protected:
  // A callout that writes `name` when it runs.
  std::unique_ptr<Callout> writes(char name) {
    return std::make_unique<Callout>(queue, [this, name] { ran += name; });
  }

  CalloutQueue queue;
  std::string ran;
};

TEST_F(Callouts, run_by_deadline_and_then_by_order_of_scheduling) {
  const auto a = writes('a'), b = writes('b'), c = writes('c'), d = writes('d');
  a->schedule(at(30));
  b->schedule(at(10));
  c->schedule(at(20));
  d->schedule(at(10));
  queue.advance(at(100));
  EXPECT_EQ(ran, "bdca");
}

TEST_F(Callouts, wait_for_their_deadline) {
  const auto a = writes('a'), b = writes('b');
  a->schedule(at(10));
  b->schedule(at(11));
  EXPECT_EQ(queue.next_deadline(), at(10));
  queue.advance(at(9));
  EXPECT_EQ(ran, "");
  queue.advance(at(10));
  EXPECT_EQ(ran, "a");
  EXPECT_FALSE(a->pending());
  EXPECT_EQ(queue.next_deadline(), at(11));
  queue.advance(at(11));
  EXPECT_EQ(ran, "ab");
  EXPECT_EQ(queue.next_deadline(), std::nullopt);
}

TEST_F(Callouts, run_once_at_the_later_of_two_deadlines) {
  const auto a = writes('a');
  a->schedule(at(10));
  a->schedule(at(20));
  queue.advance(at(15));
  EXPECT_EQ(ran, "");
  queue.advance(at(25));
  queue.advance(at(30));
  EXPECT_EQ(ran, "a");
}

TEST_F(Callouts, lose_their_place_when_rescheduled_to_the_same_deadline) {
  const auto a = writes('a'), b = writes('b');
  a->schedule(at(10));
  b->schedule(at(10));
  a->schedule(at(10));
  queue.advance(at(10));
  EXPECT_EQ(ran, "ba");
}

TEST_F(Callouts, do_not_run_once_cancelled_or_destroyed) {
  const auto a = writes('a');
  auto b = writes('b');
  a->schedule(at(10));
  b->schedule(at(10));
  a->cancel();
  a->cancel();
  b.reset();
  queue.advance(at(100));
  EXPECT_EQ(ran, "");
  EXPECT_EQ(queue.next_deadline(), std::nullopt);
}

TEST_F(Callouts, can_be_cancelled_by_an_action_before_their_turn) {
  const auto victim = writes('v');
  Callout canceller(queue, [&] { victim->cancel(); });
  canceller.schedule(at(10));
  victim->schedule(at(10));
  queue.advance(at(10));
  EXPECT_EQ(ran, "");
}

TEST_F(Callouts, may_destroy_themselves_inside_their_action) {
  const std::string long_enough_to_live_on_the_heap(100, 'x');
  std::unique_ptr<Callout> self;
  self = std::make_unique<Callout>(queue, [&, long_enough_to_live_on_the_heap] {
    self.reset();
    ran += long_enough_to_live_on_the_heap;
  });
  self->schedule(at(1));
  const auto after = writes('a');
  after->schedule(at(2));
  queue.advance(at(5));
  EXPECT_EQ(ran, long_enough_to_live_on_the_heap + "a");
}

TEST_F(Callouts, are_not_pending_inside_their_action_and_may_schedule_themselves_again) {
  int runs = 0;
  std::unique_ptr<Callout> periodic;
  periodic = std::make_unique<Callout>(queue, [&] {
    EXPECT_FALSE(periodic->pending());
    ++runs;
    periodic->schedule(at(0));  // due at once, every time
  });
  periodic->schedule(at(0));
  queue.advance(at(10));
  EXPECT_EQ(runs, 1) << "one advance must end although the next run is due already";
  queue.advance(at(10));
  EXPECT_EQ(runs, 2);
}

// Else a timer that catches up with missed periods would keep everybody else from running.
TEST_F(Callouts, that_are_due_all_run_whatever_an_action_schedules_before_them) {
  std::unique_ptr<Callout> eager;
  eager = std::make_unique<Callout>(queue, [&] {
    ran += 'e';
    eager->schedule(at(11));
  });
  eager->schedule(at(10));
  const auto patient = writes('p');
  patient->schedule(at(20));
  queue.advance(at(30));
  EXPECT_EQ(ran, "ep");
  queue.advance(at(30));
  EXPECT_EQ(ran, "epe");
}

// Random schedules, cancels and advances against the obvious model: a list searched for the smallest.
TEST_F(Callouts, agree_with_a_sorted_list) {
  struct Entry {
    Time deadline;
    std::uint64_t order;
    int id;
  };
  constexpr int kCallouts = 40;
  std::mt19937 chance(7);
  const auto below = [&](unsigned end) { return static_cast<int>(chance() % end); };
  std::vector<int> ran_ids, model_ids;
  std::vector<std::unique_ptr<Callout>> callouts;
  for (int id = 0; id < kCallouts; ++id) {
    callouts.push_back(std::make_unique<Callout>(queue, [&ran_ids, id] { ran_ids.push_back(id); }));
  }
  std::vector<Entry> model;
  Time now{};
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const int id = below(kCallouts);
    const auto of_id = [&](const Entry& entry) { return entry.id == id; };
    if (const int what = below(10); what < 6) {
      const Time deadline = now + at(below(50));
      callouts[static_cast<std::size_t>(id)]->schedule(deadline);
      std::erase_if(model, of_id);
      model.push_back({deadline, step, id});
    } else if (what < 8) {
      callouts[static_cast<std::size_t>(id)]->cancel();
      std::erase_if(model, of_id);
    } else {
      now += at(below(20));
      queue.advance(now);
      std::ranges::sort(model, {}, [](const Entry& entry) { return std::pair(entry.deadline, entry.order); });
      for (; !model.empty() && model.front().deadline <= now; model.erase(model.begin())) {
        model_ids.push_back(model.front().id);
      }
    }
    const auto next = std::ranges::min_element(model, {}, &Entry::deadline);
    ASSERT_EQ(queue.next_deadline(), next == model.end() ? std::nullopt : std::optional(next->deadline));
  }
  EXPECT_GT(ran_ids.size(), 1000U);
  EXPECT_EQ(ran_ids, model_ids);
}

}  // namespace
