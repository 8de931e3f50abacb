// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/identifiers.hpp"

#include <set>

namespace vif::trace {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string identifier(std::string_view name) {
  std::string text = name.empty() || is_digit(name.front()) ? "_" : "";
  for (const char c : name) {
    const bool is_word = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    text += is_word ? c : '_';
  }
  return text;
}

}  // namespace

std::vector<std::string> identifiers(std::span<const std::string> names) {
  std::vector<std::string> made(names.size());
  std::set<std::string> taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (identifier(names[i]) == names[i] && taken.insert(names[i]).second) made[i] = names[i];
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!made[i].empty()) continue;
    const std::string wish = identifier(names[i]);
    made[i] = wish;
    for (std::size_t number = 2; !taken.insert(made[i]).second; ++number) made[i] = wish + '_' + std::to_string(number);
  }
  return made;
}

}  // namespace vif::trace
