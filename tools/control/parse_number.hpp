// SPDX-License-Identifier: BSD-2-Clause
// Numbers in the words of a command line. Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>

namespace vif::tools {

// All of `text` as decimal digits, with a sign where Number has one; nullopt: it is something else, or not in the
// range.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text, Number min = std::numeric_limits<Number>::min(),
                                   Number max = std::numeric_limits<Number>::max()) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min || number > max) return std::nullopt;
  return number;
}

}  // namespace vif::tools
