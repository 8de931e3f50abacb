// SPDX-License-Identifier: BSD-2-Clause
// The ring of a subscriber: order, bounds, and that what is lost is told exactly where it was.
#include "services/connector/record_ring.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/services/connector/bytes.hpp"

namespace {

using namespace vif;
using namespace vif::cn;

class Ring : public testing::Test {
 protected:
  bool push(const std::string& text) { return ring.push(as_bytes(text), ++sequence); }
  // "a b LOST(2) c": at most `count` of what waits.
  std::string read(int count = 1 << 20) {
    std::string text;
    while (count-- > 0) {
      const auto next = ring.read();
      if (std::holds_alternative<std::monostate>(next)) break;
      if (!text.empty()) text += " ";
      if (const auto* lost = std::get_if<Lost>(&next)) text += "LOST(" + std::to_string(lost->count) + ")";
      if (const auto* record = std::get_if<Record>(&next)) {
        text += std::string(reinterpret_cast<const char*>(record->bytes.data()), record->bytes.size());
      }
    }
    return text;
  }
  // Fills it, and says how many went in.
  int fill(const std::string& text) {
    int count = 0;
    while (push(text)) ++count;
    return count;
  }

  std::uint64_t sequence = 0;
  RecordRing ring{4096};
};

TEST_F(Ring, gives_records_in_order) {
  EXPECT_EQ(read(), "");
  push("one");
  push("two");
  EXPECT_EQ(read(1), "one");
  push("three");
  EXPECT_EQ(read(), "two three");
  EXPECT_EQ(read(), "");
}

TEST_F(Ring, says_how_many_were_lost_behind_the_last_that_fitted) {
  const int held = fill("0123456789");
  EXPECT_GT(held, 50);
  push("late");
  push("later");
  std::string all = read();
  EXPECT_EQ(all.substr(all.size() - 18), "0123456789 LOST(3)") << "the one that did not fit in fill() is lost, too";
  EXPECT_EQ(read(), "") << "once";
}

TEST_F(Ring, says_so_between_the_records_where_it_happened) {
  fill("x");
  EXPECT_EQ(read(2), "x x");
  push("after");
  const std::string all = read();
  EXPECT_EQ(all.substr(all.size() - 15), "x LOST(1) after");
}

TEST_F(Ring, has_no_room_before_the_record_in_hand_is_given_back) {
  fill("x");
  EXPECT_EQ(read(1), "x");
  EXPECT_FALSE(push("y"));
  EXPECT_EQ(read(1), "x");  // gives the first one back
  EXPECT_TRUE(push("y"));
}

TEST_F(Ring, counts_what_others_lost_at_this_place) {
  push("a");
  ring.lose(7);
  push("b");
  ring.lose(2);
  ring.lose(3);
  EXPECT_EQ(read(), "a LOST(7) b LOST(5)");
}

TEST_F(Ring, never_holds_a_record_larger_than_half_of_it) {
  EXPECT_FALSE(push(std::string(2048, 'x')));
  EXPECT_EQ(read(), "LOST(1)");
  EXPECT_TRUE(push(std::string(2000, 'x')));
}

TEST_F(Ring, begins_at_a_mark_without_what_was_before) {
  push("old");
  ring.lose(4);
  push("older");
  const StreamMark mark = ring.mark(sequence);
  push("new");
  ring.lose(1);
  push("newer");
  ring.begin_at(mark);
  EXPECT_EQ(read(), "new LOST(1) newer");
}

TEST_F(Ring, of_any_lengths_loses_nothing_unsaid) {
  std::mt19937 chance(7);
  std::uint64_t produced = 0, delivered = 0, lost = 0, last = 0;
  const auto take = [&](std::uint64_t count) {
    while (count-- > 0) {
      const auto next = ring.read();
      if (const auto* gap = std::get_if<Lost>(&next)) lost += gap->count;
      if (const auto* record = std::get_if<Record>(&next)) {
        ASSERT_EQ(record->sequence, delivered + lost + 1) << "the loss was told in the wrong place";
        ASSERT_GT(record->sequence, last);
        last = record->sequence;
        ++delivered;
      }
      if (std::holds_alternative<std::monostate>(next)) return;
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    push(std::string(chance() % 300, 'r'));
    ++produced;
    if (chance() % 3 == 0) take(chance() % 6);
  }
  take(UINT64_MAX);
  EXPECT_EQ(delivered + lost, produced);
  EXPECT_GT(lost, 0U);
  EXPECT_GT(delivered, 1000U);
}

TEST_F(Ring, tells_the_writer_that_the_reader_may_sleep) {
  EXPECT_TRUE(ring.may_sleep());
  push("a");
  EXPECT_TRUE(ring.was_empty());
  push("b");
  EXPECT_FALSE(ring.was_empty());
  EXPECT_FALSE(ring.may_sleep());
  read();
  EXPECT_TRUE(ring.may_sleep());
  ring.lose(1);
  EXPECT_FALSE(ring.may_sleep());
  read();
  push("c");
  EXPECT_TRUE(ring.was_empty());
}

}  // namespace
