// SPDX-License-Identifier: BSD-2-Clause
// One thread at both ends; domain_threads_test.cpp has many.
#include "netstack/inbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using namespace vif::net;

TEST(Inbox, gives_commands_in_the_order_they_came_over_many_laps) {
  Inbox inbox(4);
  std::string ran, expected;
  Command command;
  for (int lap = 0; lap < 100; ++lap) {
    for (int i = 0; i <= lap % 4; ++i) {
      const char name = static_cast<char>('a' + (lap + i) % 26);
      ASSERT_TRUE(inbox.push([&ran, name] { ran += name; }));
      expected += name;
    }
    while (inbox.pop(command)) command();
    EXPECT_TRUE(inbox.empty());
  }
  EXPECT_EQ(ran, expected);
}

TEST(Inbox, refuses_when_full_and_leaves_the_command_with_its_caller) {
  Inbox inbox(2);
  int ran = 0;
  EXPECT_TRUE(inbox.push([&] { ran += 1; }));
  EXPECT_TRUE(inbox.push([&] { ran += 10; }));
  Command refused = [&] { ran += 100; };
  EXPECT_FALSE(inbox.push(std::move(refused)));
  ASSERT_TRUE(refused) << "untouched";
  Command command;
  ASSERT_TRUE(inbox.pop(command));
  command();
  EXPECT_TRUE(inbox.push(std::move(refused))) << "one place is free again";
  while (inbox.pop(command)) command();
  EXPECT_EQ(ran, 111);
}

TEST(Inbox, rounds_its_capacity_up_to_a_power_of_two) {
  for (const auto& [asked, got] : {std::pair{0U, 2}, {1U, 2}, {3U, 4}, {1000U, 1024}}) {
    Inbox inbox(asked);
    int places = 0;
    while (inbox.push([] {})) ++places;
    EXPECT_EQ(places, got) << asked;
  }
}

TEST(Inbox, holds_nothing_of_a_command_that_was_taken) {
  Inbox inbox(2);
  const auto token = std::make_shared<int>(1);
  ASSERT_TRUE(inbox.push([token] {}));
  EXPECT_EQ(token.use_count(), 2);
  Command command;
  ASSERT_TRUE(inbox.pop(command));
  command = nullptr;
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Inbox, lets_go_of_what_was_never_taken) {
  const auto token = std::make_shared<int>(1);
  {
    Inbox inbox(2);
    ASSERT_TRUE(inbox.push([token] {}));
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
