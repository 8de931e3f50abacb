// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/filter.hpp"

namespace vif::trace {
namespace {

template <class T>
bool compares(Filter::Operator op, T field, T value) {
  switch (op) {
    case Filter::Operator::less_equal:
      return field <= value;
    case Filter::Operator::less:
      return field < value;
    case Filter::Operator::greater_equal:
      return field >= value;
    case Filter::Operator::greater:
      return field > value;
    case Filter::Operator::bits:
      return (field & value) != 0;
    case Filter::Operator::not_equal:
      return field != value;
    default:
      return field == value;
  }
}

// Both as wide as the field, as the kernel does it: a number that does not fit is cut.
template <class Unsigned>
bool compares_as(Filter::Operator op, bool is_signed, const std::byte* field, std::uint64_t number) {
  const auto value = load<Unsigned, std::endian::native>(field);
  using Signed = std::make_signed_t<Unsigned>;
  if (!is_signed) return compares<Unsigned>(op, value, static_cast<Unsigned>(number));
  return compares<Signed>(op, static_cast<Signed>(value), static_cast<Signed>(number));
}

std::string_view until_nul(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

// One character of a class; `at` is behind '['. False also for a class without end, which then is no class.
struct Class {
  bool closed, has;
  std::size_t end;  // behind ']'
};

Class class_at(std::string_view pattern, std::size_t at, unsigned char c) {
  const bool inverted = at < pattern.size() && pattern[at] == '!';
  if (inverted) ++at;
  bool has = false;
  for (std::size_t first = at; at < pattern.size() && (pattern[at] != ']' || at == first); ++at) {
    const auto low = static_cast<unsigned char>(pattern[at]);
    unsigned char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = static_cast<unsigned char>(pattern[at += 2]);
    }
    has |= low <= c && c <= high;
  }
  return {at < pattern.size(), has != inverted, at + 1};
}

// How much of the pattern one character takes at `at`; 0: it does not match.
std::size_t step(std::string_view pattern, std::size_t at, char c) {
  if (at >= pattern.size()) return 0;
  if (pattern[at] == '?') return 1;
  if (pattern[at] == '[') {
    const Class found = class_at(pattern, at + 1, static_cast<unsigned char>(c));
    if (found.closed) return found.has ? found.end - at : 0;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return pattern[at + 1] == c ? 2 : 0;
  return pattern[at] == c ? 1 : 0;
}

}  // namespace

// Only the last star is ever gone back to: earlier ones have matched as little as they can.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t in_pattern = 0, in_text = 0, star = std::string_view::npos, star_text = 0;
  while (in_text < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_text = in_text;
    } else if (const std::size_t taken = step(pattern, in_pattern, text[in_text]); taken != 0) {
      in_pattern += taken;
      ++in_text;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.substr(in_pattern).find_first_not_of('*') == std::string_view::npos;
}

bool Filter::number_holds(const Predicate& predicate, Bytes record) {
  const std::byte* const field = &record[predicate.offset];
  switch (predicate.size) {
    case 1:
      return compares_as<std::uint8_t>(predicate.op, predicate.is_signed, field, predicate.number);
    case 2:
      return compares_as<std::uint16_t>(predicate.op, predicate.is_signed, field, predicate.number);
    case 4:
      return compares_as<std::uint32_t>(predicate.op, predicate.is_signed, field, predicate.number);
    default:
      return compares_as<std::uint64_t>(predicate.op, predicate.is_signed, field, predicate.number);
  }
}

bool Filter::holds(const Predicate& predicate, Bytes record) {
  if (predicate.kind == FieldKind::number) return number_holds(predicate, record);
  Bytes bytes;
  if (predicate.kind == FieldKind::text) {
    bytes = record.subspan(predicate.offset, predicate.text_bytes);
  } else {
    const auto location = load<std::uint32_t, std::endian::native>(&record[predicate.offset]);
    const std::size_t from = predicate.kind == FieldKind::rel_loc ? predicate.offset + 4 : 0;
    bytes = record.subspan(from + (location & 0xffff), location >> 16);
  }
  const std::string_view text = until_nul(bytes);
  if (predicate.op == Operator::glob) return glob_matches(predicate.text, text);
  return (text == predicate.text) == (predicate.op == Operator::equal);
}

bool Filter::matches(Bytes record) const {
  std::uint16_t at = first_;
  while (at < kDrop) {
    const Predicate& predicate = predicates_[at];
    at = holds(predicate, record) != predicate.inverted ? predicate.on_true : predicate.on_false;
  }
  return at == kKeep;
}

}  // namespace vif::trace
