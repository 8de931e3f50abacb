// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using namespace vif;

Result<std::unique_ptr<int>> seven_or(bool refuse) {
  if (refuse) return fail(std::errc::no_space_on_device, "every unit exists");
  return std::make_unique<int>(7);
}

TEST(Result, holds_a_value_that_can_only_be_moved) {
  auto seven = seven_or(false);
  ASSERT_TRUE(seven);
  EXPECT_EQ(**seven, 7);
  const std::unique_ptr<int> mine = *std::move(seven);
  EXPECT_EQ(*mine, 7);
}

TEST(Result, carries_errno_and_sentence_of_a_failure) {
  const auto nothing = seven_or(true);
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().number(), ENOSPC);
  EXPECT_EQ(nothing.error().code, std::errc::no_space_on_device);
  EXPECT_EQ(nothing.error().text, "every unit exists");
}

TEST(Result, hands_an_error_on_to_a_caller_with_another_type) {
  const auto outer = [](bool refuse) -> Result<std::string> {
    auto inner = seven_or(refuse);
    if (!inner) return std::move(inner).error();
    return std::to_string(**inner);
  };
  EXPECT_EQ(*outer(false), "7");
  EXPECT_EQ(outer(true).error().text, "every unit exists");
}

TEST(Status, is_success_until_it_holds_an_error) {
  const Status good;
  EXPECT_TRUE(good);
  const Status bad = fail(ENXIO, "no interface is called 'virt7'");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().number(), ENXIO);
}

}  // namespace
