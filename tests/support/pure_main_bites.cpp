// SPDX-License-Identifier: BSD-2-Clause
// Breaks the law on purpose: opens a file under pure_main's filter. tests/tidy/seccomp.py expects it to die of that.
#include <gtest/gtest.h>

#include <cstdio>
#include <stdexcept>
#include <string>

TEST(Pure, may_use_memory_and_throw) {
  std::string text(1 << 20, 'x');
  EXPECT_THROW((void)text.at(text.size()), std::out_of_range);
}

TEST(Pure, may_not_open_files) { EXPECT_NE(std::fopen("/dev/null", "r"), nullptr); }
