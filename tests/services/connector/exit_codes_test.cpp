// SPDX-License-Identifier: BSD-2-Clause
// The table of exit codes by itself, and its face with the kernel series' names: H1 to H5 are the series' own tests.
#include "services/connector/exit_codes.hpp"

#include <gtest/gtest.h>

#include "services/connector/compat.hpp"

namespace {

using namespace vif;
using namespace vif::cn;

class Codes : public testing::Test {
 protected:
  std::unique_ptr<ExitCodes> codes = std::move(*ExitCodes::create(32'768));
};
using SeriesKunit = Codes;

TEST_F(SeriesKunit, H1_adds_and_gets) {
  EXPECT_EQ(cn_add_elem(codes.get(), 45, 1), 0);
  EXPECT_EQ(cn_add_elem(codes.get(), 13, 2), 0);
  EXPECT_EQ(cn_add_elem(codes.get(), 16, 1024), 0);
  EXPECT_EQ(cn_add_elem(codes.get(), 71, 1023), 0);
  EXPECT_EQ(cn_get_exval(codes.get(), 1), 45);
  EXPECT_EQ(cn_get_exval(codes.get(), 2), 13);
  EXPECT_EQ(cn_get_exval(codes.get(), 1024), 16);
  EXPECT_EQ(cn_get_exval(codes.get(), 1023), 71);
}
TEST_F(SeriesKunit, H2_gets_nothing_of_what_it_deleted) {
  ASSERT_EQ(cn_add_elem(codes.get(), 45, 1), 0);
  EXPECT_EQ(cn_del_elem(codes.get(), 1), 0);
  EXPECT_EQ(cn_get_exval(codes.get(), 1), -EINVAL);
  EXPECT_TRUE(cn_table_empty(codes.get()));
}
TEST_F(SeriesKunit, H3_keeps_the_first_of_two) {
  ASSERT_EQ(cn_add_elem(codes.get(), 21, 8), 0);
  EXPECT_EQ(cn_add_elem(codes.get(), 22, 8), -EEXIST);
  EXPECT_EQ(cn_get_exval(codes.get(), 8), 21);
}
TEST_F(SeriesKunit, H4_deletes_once) {
  ASSERT_EQ(cn_add_elem(codes.get(), 21, 8), 0);
  EXPECT_EQ(cn_del_elem(codes.get(), 8), 0);
  EXPECT_EQ(cn_del_elem(codes.get(), 8), -EINVAL);
  EXPECT_TRUE(cn_table_empty(codes.get()));
}
TEST_F(SeriesKunit, H5_takes_each_and_is_empty) {
  for (int pid = 1; pid <= 4; ++pid) ASSERT_EQ(cn_add_elem(codes.get(), static_cast<std::uint32_t>(pid) * 10, pid), 0);
  for (int pid = 1; pid <= 4; ++pid) EXPECT_EQ(cn_del_get_exval(codes.get(), pid), pid * 10);
  EXPECT_TRUE(cn_table_empty(codes.get()));
}

TEST_F(Codes, are_for_threads_that_are_attached) {
  EXPECT_EQ(codes->put(5, 1), ESRCH);
  EXPECT_EQ(codes->attach(5, 4, 100), 0);
  EXPECT_EQ(codes->put(5, 1), 0);
  codes->detach(5);
  EXPECT_EQ(codes->put(5, 2), ESRCH);
  EXPECT_EQ(codes->get(5).code, 1U) << "what it has registered stays";
}

TEST_F(Codes, have_a_generation_that_goes_up_when_one_is_taken) {
  codes->attach(5, 4, 100);
  codes->put(5, 1);
  const FoundCode first = codes->take(5);
  codes->put(5, 1);
  const FoundCode second = codes->take(5);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first.generation, second.generation);
}

TEST_F(Codes, go_to_the_life_that_is_meant) {
  codes->attach(5, 4, 100);
  codes->put(5, 7);
  EXPECT_EQ(codes->take(5, {.owner = 3}).error, ENOENT) << "another process's thread";
  EXPECT_EQ(codes->take(5, {.began_ns = 101}).error, ENOENT) << "a thread that began later";
  EXPECT_EQ(codes->take(5, {.ended_ns = 99}).error, ENOENT) << "a thread that had ended";
  EXPECT_EQ(codes->take(5, {.owner = 4, .began_ns = 90, .ended_ns = 110}).code, 7U);
}

TEST_F(Codes, attached_twice_as_the_same_thread_are_as_attached_once) {
  codes->attach(5, 4, 100);
  codes->put(5, 7);
  EXPECT_EQ(codes->attach(5, 4, 100), 0);
  EXPECT_EQ(codes->get(5).code, 7U);
  EXPECT_TRUE(codes->unclaimed().empty());
}

TEST_F(Codes, of_many_lives_under_one_number_are_taken_in_their_order) {
  for (std::uint32_t life = 1; life <= 3; ++life) {
    codes->attach(5, 4, life * 100);
    codes->put(5, life);
    codes->detach(5);
  }
  EXPECT_EQ(codes->take(5, {.began_ns = 190, .ended_ns = 290}).code, 2U);
  EXPECT_EQ(codes->take(5).code, 1U);
  EXPECT_EQ(codes->take(5).code, 3U);
  EXPECT_EQ(codes->take(5).error, ENOENT);
}

TEST_F(Codes, that_nobody_takes_are_kept_up_to_a_number) {
  const std::uint32_t more = ExitCodes::kUnclaimedMax + 10;
  for (std::uint32_t life = 1; life <= more; ++life) {
    codes->attach(5, 4, life);
    codes->put(5, life);
  }
  const auto kept = codes->unclaimed();
  EXPECT_EQ(kept.size() + codes->forgotten(), more - 1);
  EXPECT_EQ(kept.back().code, more - 1);
  EXPECT_EQ(kept.front().code, more - ExitCodes::kUnclaimedMax);
}

TEST_F(Codes, are_for_ids_that_can_be) {
  EXPECT_EQ(codes->attach(32'768, 1, 1), ENOSPC);
  EXPECT_EQ(codes->attach(-1, 1, 1), ENOSPC);
  EXPECT_EQ(codes->put(32'768, 1), ENOSPC);
  EXPECT_EQ(codes->take(32'768).error, ENOENT);
  EXPECT_EQ(codes->get(-1).error, ENOENT);
  EXPECT_EQ(codes->withdraw(INT32_MAX), ENOENT);
  EXPECT_EQ(codes->attach(32'767, 1, 1), 0);
  EXPECT_FALSE(ExitCodes::create(0));
  EXPECT_FALSE(ExitCodes::create(UINT32_MAX));
}

TEST_F(Codes, of_the_parent_are_forgotten_in_a_forks_child) {
  codes->attach(5, 4, 100);
  codes->put(5, 7);
  codes->attach(5, 4, 200);  // the first one is set aside
  codes->put(5, 8);
  codes->forget_all();
  EXPECT_TRUE(codes->empty());
  EXPECT_TRUE(codes->unclaimed().empty());
  EXPECT_EQ(codes->put(5, 1), ESRCH) << "nobody is attached";
  EXPECT_EQ(codes->attach(5, 6, 300), 0);
  EXPECT_EQ(codes->put(5, 1), 0);
}

}  // namespace
