// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a link string, and what is nested in it: an error that says where, or a value that is written no longer
// than it was read and read back equal.
#include <cstdint>

#include "virtif/linkstr.hpp"

namespace {

using vif::drv::Linkstr;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(std::string_view text) {
  const auto link = Linkstr::parse(text);
  if (!link) {
    const bool too_long = text.size() > Linkstr::kBytesMax;
    require(link.error().number() == (too_long ? E2BIG : EINVAL));
    require(too_long || link.error().text.starts_with("link string, character "));
    return;
  }
  const std::string written = link->format();
  require(written.size() <= text.size());
  const auto again = Linkstr::parse(written);
  require(again && *again == *link);
  require(again->format() == written);
  for (const Linkstr::Option& option : link->options) require(link->find(option.key)->value == option.value);
  if (link->argument_nested) check(link->argument);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
