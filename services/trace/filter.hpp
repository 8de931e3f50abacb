// SPDX-License-Identifier: BSD-2-Clause
// Which records of an event to keep, in the language of the kernel's `filter` files (Documentation/trace/events.rst,
// kernel/trace/trace_events_filter.c):
//
//   reason == 3 && (bytes > 0x40 || !ifname ~ "virt*")
//
// `||` binds least, then `&&`, then `!`. A predicate is a field, an operator and a value: numbers (decimal, 0x, octal)
// with == != < <= > >= &, texts in quotes with == != ~ (a glob: * ? [a-z]; `!` in
// front: not of it). Parsed once into a list of predicates that
// says after each where to go on. A value; matches() is any thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/event_format.hpp"

namespace vif::trace {

inline constexpr std::size_t kFilterCharsMax = 4095;  // a page less its NUL

class VIF_API Filter {
 public:
  enum class Operator : std::uint8_t { less_equal, less, greater_equal, greater, bits, glob, not_equal, equal };

  // Errors: the kernel's errno, EINVAL but where its parser lets a small negative number out: EPERM, ENOENT, ESRCH. The
  // text shows where. Accepted as there: `a == 1 &&`.
  static Result<Filter> parse(std::string_view text, const EventFormat& format);
  // As a filter file takes it: empty or "0" is none, and null. Errors: parse()'s.
  static Result<std::unique_ptr<Filter>> parse_or_none(std::string_view text, const EventFormat& format);

  // `record`: header and payload, of the format this was parsed for, with all fixed fields and valid locations.
  bool matches(Bytes record) const;

 private:
  friend class FilterParser;

  // Where predicates lead when the answer is final.
  static constexpr std::uint16_t kKeep = 0xffff, kDrop = 0xfffe;

  struct Predicate {
    FieldKind kind;
    std::uint8_t size;  // of a number
    bool is_signed;
    bool inverted;
    Operator op;
    std::uint32_t offset, text_bytes;  // of the field; of a text field how long it is
    std::uint64_t number;
    std::string text;
    std::uint16_t on_true, on_false;
  };

  static bool holds(const Predicate& predicate, Bytes record);
  static bool number_holds(const Predicate& predicate, Bytes record);

  std::vector<Predicate> predicates_;
  std::uint16_t first_ = kKeep;
};

// Whether `text` is of the pattern: `*` any characters, `?` one, `[...]` one of these (`a-z`, `!` first: none of
// these), a backslash takes the next as it is.
VIF_API bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace vif::trace
