// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/link_options.hpp"

#include <algorithm>
#include <charconv>

namespace vif::host {

Status only_options(const drv::Linkstr& linkstr, std::initializer_list<std::string_view> known) {
  for (const drv::Linkstr::Option& option : linkstr.options) {
    if (std::find(known.begin(), known.end(), option.key) != known.end()) continue;
    std::string list;
    for (const std::string_view key : known) list += (list.empty() ? "" : ", ") + std::string(key);
    return fail(std::errc::invalid_argument,
                linkstr.scheme + ": has no option '" + option.key + "': known are " + (list.empty() ? "none" : list));
  }
  return {};
}

Status needs_argument(const drv::Linkstr& linkstr, std::string_view what) {
  if (!linkstr.argument.empty() && !linkstr.argument_nested) return {};
  return fail(std::errc::invalid_argument, linkstr.scheme + ": needs " + std::string(what) + " after the colon");
}

Result<std::uint64_t> number_option(const drv::Linkstr& linkstr, std::string_view key, std::uint64_t otherwise,
                                    NumberRange range) {
  const drv::Linkstr::Option* const option = linkstr.find(key);
  if (option == nullptr) return otherwise;
  const std::string text = option->value.value_or("");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < range.least || number > range.most) {
    return fail(std::errc::invalid_argument, linkstr.scheme + ": " + std::string(key) + " is a number from " +
                                                 std::to_string(range.least) + " to " + std::to_string(range.most) +
                                                 ", not '" + text + "'");
  }
  return number;
}

}  // namespace vif::host
