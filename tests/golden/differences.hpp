// SPDX-License-Identifier: BSD-2-Clause
// Where a stack does not do as Linux does in a golden exchange, on purpose or by its limits, and why that is right or
// has to be. Plain data.
#pragma once

#include <span>
#include <string_view>

namespace vif::test {

struct Difference {
  std::string_view stack, exchange;
  std::string_view what;  // in the first failure's text
  std::string_view why;
};

std::span<const Difference> known_differences();
// Null: it is to do as Linux does.
const Difference* known_difference(std::string_view stack, std::string_view exchange);

}  // namespace vif::test
