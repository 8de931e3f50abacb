// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/ready_set.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using vif::net::ReadySet;

std::vector<std::size_t> taken(ReadySet& ready) {
  std::vector<std::size_t> slots;
  ready.take([&](std::size_t slot) { slots.push_back(slot); });
  return slots;
}

TEST(ReadySet, is_taken_in_slot_order_whatever_the_order_of_marking) {
  ReadySet ready(200);
  for (const std::size_t slot : {199U, 64U, 0U, 63U, 127U, 64U}) ready.mark(slot);
  EXPECT_EQ(taken(ready), (std::vector<std::size_t>{0, 63, 64, 127, 199}));
  EXPECT_FALSE(ready.any());
  EXPECT_TRUE(taken(ready).empty());
}

TEST(ReadySet, keeps_for_the_next_round_what_is_marked_while_its_word_is_visited) {
  ReadySet ready(64);
  ready.mark(5);
  std::vector<std::size_t> slots;
  ready.take([&](std::size_t slot) {
    slots.push_back(slot);
    ready.mark(5);
    ready.mark(6);
  });
  EXPECT_EQ(slots, (std::vector<std::size_t>{5}));
  EXPECT_TRUE(ready.any());
  EXPECT_EQ(taken(ready), (std::vector<std::size_t>{5, 6}));
}

TEST(ReadySet, holds_exactly_as_many_as_it_was_made_for) {
  for (const std::size_t slots : {1U, 64U, 65U, 4096U}) {
    ReadySet ready(slots);
    for (std::size_t slot = 0; slot < slots; ++slot) ready.mark(slot);
    EXPECT_EQ(taken(ready).size(), slots);
  }
}

}  // namespace
