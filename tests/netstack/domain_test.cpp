// SPDX-License-Identifier: BSD-2-Clause
// One round of a domain: what runs, in which order, and when its owner may sleep. Threads: domain_threads_test.cpp.
#include "netstack/domain.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "hypercall/sim/sim_host.hpp"
#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::net;

struct CountingWake final : WakePort {
  void wake() override { ++wakes; }
  int wakes = 0;
};

// Writes its name when polled; answers `rounds` times that there is more.
struct Named final : Pollable {
  Named(std::string& text, char letter, int more) : ran(text), name(letter), rounds(more) {}
  bool poll(std::size_t budget) override {
    ran += name;
    last_budget = budget;
    return rounds-- > 0;
  }
  std::string& ran;
  char name;
  int rounds;
  std::size_t last_budget = 0;
};

class DomainRound : public testing::Test {
 protected:
  Domain make(std::size_t interfaces_max, std::size_t inbox_commands) {
    return Domain({.pool = {.counts = {8, 0, 0, 0}, .external = 0},
                   .interfaces_max = interfaces_max,
                   .inbox_commands = inbox_commands},
                  random, wake);
  }

  host::sim::SimRandom random{1};
  CountingWake wake;
  Domain domain = make(3, 4);
  std::string ran;
};

TEST_F(DomainRound, runs_deferred_work_then_commands_then_callouts_then_interfaces) {
  Named pollable(ran, 'p', 0);
  const auto slot = domain.enter(pollable);
  Callout callout(domain.callouts(), [&] { ran += 't'; });
  domain.ready(*slot);
  callout.schedule(Time(5));
  ASSERT_TRUE(domain.post([&] { ran += 'c'; }));
  domain.defer([&] { ran += 'd'; });
  EXPECT_FALSE(domain.poll(Time(5), 7));
  EXPECT_EQ(ran, "dctp");
  EXPECT_EQ(pollable.last_budget, 7U);
  domain.leave(*slot);
}

TEST_F(DomainRound, polls_interfaces_in_slot_order_once_each) {
  Named a(ran, 'a', 0), b(ran, 'b', 1), c(ran, 'c', 0);
  const auto slot_a = domain.enter(a), slot_b = domain.enter(b), slot_c = domain.enter(c);
  domain.ready(*slot_c);
  domain.ready(*slot_b);
  domain.ready(*slot_a);
  domain.ready(*slot_b);
  EXPECT_TRUE(domain.poll(Time(0), 1)) << "b has more";
  EXPECT_EQ(ran, "abc");
  EXPECT_FALSE(domain.poll(Time(0), 1));
  EXPECT_EQ(ran, "abcb");
}

TEST_F(DomainRound, takes_interfaces_max_and_reuses_the_lowest_slot_left) {
  Named a(ran, 'a', 0), b(ran, 'b', 0), c(ran, 'c', 0), d(ran, 'd', 0);
  EXPECT_EQ(domain.enter(a), 0U);
  EXPECT_EQ(domain.enter(b), 1U);
  EXPECT_EQ(domain.enter(c), 2U);
  EXPECT_EQ(domain.enter(d), std::nullopt);
  domain.leave(1);
  domain.ready(1);  // a late one of b's backend
  EXPECT_FALSE(domain.poll(Time(0), 1));
  EXPECT_EQ(ran, "");
  EXPECT_EQ(domain.enter(d), 1U);
}

TEST_F(DomainRound, refuses_a_command_when_the_inbox_is_full_and_never_runs_it) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(domain.post([&] { ran += 'c'; }));
  EXPECT_FALSE(domain.post([&] { ran += 'x'; }));
  domain.poll(Time(0), 1);
  domain.poll(Time(0), 1);
  EXPECT_EQ(ran, "cccc");
  EXPECT_TRUE(domain.post([&] { ran += 'y'; }));
}

TEST_F(DomainRound, ends_although_a_command_posts_itself_again) {
  std::function<void()> again = [&] {
    ran += 'c';
    (void)domain.post(again);
  };
  ASSERT_TRUE(domain.post(again));
  EXPECT_TRUE(domain.poll(Time(0), 1)) << "and says that there is more";
  EXPECT_FALSE(ran.empty());
}

TEST_F(DomainRound, leaves_work_deferred_by_deferred_work_to_the_next_round) {
  domain.defer([&] {
    ran += '1';
    domain.defer([&] { ran += '2'; });
  });
  EXPECT_TRUE(domain.poll(Time(0), 1));
  EXPECT_EQ(ran, "1");
  EXPECT_FALSE(domain.poll(Time(0), 1));
  EXPECT_EQ(ran, "12");
}

TEST_F(DomainRound, keeps_its_time_from_going_back) {
  domain.poll(Time(100), 1);
  EXPECT_EQ(domain.now(), Time(100));
  Callout callout(domain.callouts(), [&] { ran += 't'; });
  callout.schedule(Time(90));
  domain.poll(Time(50), 1);
  EXPECT_EQ(domain.now(), Time(100));
  EXPECT_EQ(ran, "t");
}

TEST_F(DomainRound, may_sleep_only_with_nothing_pending) {
  EXPECT_TRUE(domain.may_sleep());
  Named pollable(ran, 'p', 0);
  const auto slot = domain.enter(pollable);
  domain.ready(*slot);
  EXPECT_FALSE(domain.may_sleep());
  domain.poll(Time(0), 1);
  EXPECT_TRUE(domain.may_sleep());
  ASSERT_TRUE(domain.post([] {}));
  EXPECT_FALSE(domain.may_sleep());
  domain.poll(Time(0), 1);
  domain.defer([] {});
  EXPECT_FALSE(domain.may_sleep());
}

TEST_F(DomainRound, wakes_its_owner_once_a_sleep_and_never_while_awake) {
  Named pollable(ran, 'p', 0);
  const auto slot = domain.enter(pollable);
  domain.ready(*slot);
  ASSERT_TRUE(domain.post([] {}));
  EXPECT_EQ(wake.wakes, 0) << "awake: it will look";
  while (domain.poll(Time(0), 1)) continue;
  ASSERT_TRUE(domain.may_sleep());
  domain.ready(*slot);
  domain.ready(*slot);
  ASSERT_TRUE(domain.post([] {}));
  EXPECT_EQ(wake.wakes, 1);
  domain.poll(Time(0), 1);
  ASSERT_TRUE(domain.may_sleep());
  ASSERT_TRUE(domain.post([] {}));
  EXPECT_EQ(wake.wakes, 2);
}

// --- interfaces and who hears of them ---

struct Listener final : IfEventListener {
  void if_arrived(Ifnet& ifp) override { heard += "+" + ifp.name() + " "; }
  void if_departed(Ifnet& ifp) override { heard += "-" + ifp.name() + " "; }
  void if_link_changed(Ifnet& ifp) override {
    heard += ifp.name() + "=" + std::to_string(static_cast<int>(ifp.link_state())) + " ";
    if (then) then();
  }
  std::string heard;
  std::function<void()> then;
};

class DomainInterfaces : public testing::Test {
 protected:
  host::sim::SimHost host{1};
  Domain& domain = host.add_domain();
  test::RecordingDriver driver;
  Ifnet a{domain, driver, "sim", 0, 4}, b{domain, driver, "sim", 1, 4};
};

TEST_F(DomainInterfaces, are_listed_oldest_first_under_indexes_never_used_twice) {
  domain.publish(a);
  domain.publish(b);
  EXPECT_EQ(domain.interfaces(), (std::vector<Ifnet*>{&a, &b}));
  EXPECT_EQ(a.index(), 1U);
  EXPECT_EQ(b.index(), 2U);
  domain.withdraw(a);
  EXPECT_EQ(domain.interfaces(), std::vector<Ifnet*>{&b});
  Ifnet c(domain, driver, "sim", 0, 4);
  domain.publish(c);
  EXPECT_EQ(c.index(), 3U);
  domain.withdraw(b);
  domain.withdraw(c);
}

TEST_F(DomainInterfaces, are_announced_to_listeners_inside_an_upcall) {
  Listener listener;
  bool inside = false;
  listener.then = [&] { inside = domain.in_upcall(); };
  domain.listen(listener);
  domain.publish(a);
  a.set_link_state(LinkState::up);
  domain.withdraw(a);
  EXPECT_EQ(listener.heard, "+sim0 sim0=2 -sim0 ");
  EXPECT_TRUE(inside);
  EXPECT_FALSE(domain.in_upcall());
  domain.unlisten(listener);
  domain.publish(a);
  domain.withdraw(a);
  EXPECT_EQ(listener.heard, "+sim0 sim0=2 -sim0 ");
}

TEST_F(DomainInterfaces, tell_nothing_to_a_listener_that_left_during_the_same_event) {
  Listener first, second, third;
  domain.listen(first);
  domain.listen(second);
  domain.listen(third);
  first.then = [&] {
    domain.unlisten(first);
    domain.unlisten(second);
  };
  a.set_link_state(LinkState::up);
  EXPECT_EQ(first.heard, "sim0=2 ");
  EXPECT_EQ(second.heard, "") << "may be gone by now";
  EXPECT_EQ(third.heard, "sim0=2 ");
}

// --- the simulated host around it ---

TEST(SimHost, settles_callouts_that_are_due_however_they_chain) {
  host::sim::SimHost host(1);
  Domain& domain = host.add_domain();
  std::string ran;
  Callout second(domain.callouts(), [&] { ran += '2'; });
  Callout first(domain.callouts(), [&] {
    ran += '1';
    second.schedule(domain.now());
  });
  first.schedule(Time(0));
  host.settle();
  EXPECT_EQ(ran, "12");
}

TEST(SimHost, stops_at_every_deadline_on_the_way) {
  host::sim::SimHost host(1);
  Domain& domain = host.add_domain();
  std::vector<Time> seen;
  Callout tick(domain.callouts(), [&] {
    seen.push_back(domain.now());
    if (seen.size() < 4) tick.schedule(domain.now() + Time(10));
  });
  tick.schedule(Time(10));
  host.at(Time(15), [&] { seen.push_back(host.clock.now()); });
  host.run_until(Time(100));
  EXPECT_EQ(seen, (std::vector<Time>{Time(10), Time(15), Time(20), Time(30)}));
  EXPECT_EQ(host.clock.now(), Time(100));
}

}  // namespace
