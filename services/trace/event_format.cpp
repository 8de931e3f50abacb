// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/event_format.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

namespace vif::trace {
namespace {

struct Scalar {
  std::string_view type;
  std::uint32_t size;
};

// `long` is not here on purpose: its size depends on the writer.
constexpr std::array kScalars = {
    Scalar{"s8", 1},  Scalar{"u8", 1},  Scalar{"char", 1},  Scalar{"unsigned char", 1},
    Scalar{"s16", 2}, Scalar{"u16", 2}, Scalar{"short", 2}, Scalar{"unsigned short", 2},
    Scalar{"s32", 4}, Scalar{"u32", 4}, Scalar{"int", 4},   Scalar{"unsigned int", 4},
    Scalar{"s64", 8}, Scalar{"u64", 8},
};

// Longer ones first. The type is such a prefix and the word after it.
constexpr std::array<std::string_view, 6> kPrefixes = {
    "unsigned ", "struct ", "__data_loc unsigned ", "__data_loc ", "__rel_loc unsigned ", "__rel_loc "};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A whole number with C's prefixes, and nothing after it.
std::optional<std::uint32_t> number(std::string_view digits, int base) {
  if (base == 0) {
    base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) base = 16, digits.remove_prefix(2);
    else if (digits.size() > 1 && digits.front() == '0') base = 8;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return {};
  return value;
}

// N of "char[N]"; the kernel reads at most 7 characters after '['.
std::optional<std::uint32_t> array_bytes(std::string_view type) {
  const std::string_view inside = type.substr(type.find('[') + 1);
  if (inside.size() > 7 || inside.empty() || inside.back() != ']') return {};
  const auto count = number(inside.substr(0, inside.size() - 1), 0);
  return count && *count >= 1 && *count <= kArrayBytesMax ? count : std::nullopt;
}

struct Type {
  std::uint32_t size;
  FieldKind kind;
};

std::optional<Type> type_of(std::string_view text) {
  const auto scalar = std::find_if(kScalars.begin(), kScalars.end(), [&](const Scalar& s) { return s.type == text; });
  if (scalar != kScalars.end()) return Type{scalar->size, FieldKind::number};
  if (text.starts_with("__data_loc ")) return Type{4, FieldKind::data_loc};
  if (text.starts_with("__rel_loc ")) return Type{4, FieldKind::rel_loc};
  if (!text.starts_with("char[") && !text.starts_with("unsigned char[")) return {};
  const auto bytes = array_bytes(text);
  return bytes ? std::optional(Type{*bytes, FieldKind::text}) : std::nullopt;
}

// Takes what stands before the next single space, and the space.
std::string_view take_word(std::string_view& text, std::size_t from = 0) {
  const std::size_t space = text.find(' ', from);
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

Error refuse(std::string_view field, std::string_view expected) {
  return fail(EINVAL, "field \"" + std::string(field) + "\": expected " + std::string(expected));
}

Result<Field> parse_field(std::string_view text, std::uint32_t offset) {
  const auto prefix =
      std::find_if(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view p) { return text.starts_with(p); });
  std::string_view rest = text;
  const bool ends_in_space = text.ends_with(' ');
  const std::string_view type = take_word(rest, prefix == kPrefixes.end() ? 0 : prefix->size());
  const std::string_view name = take_word(rest);
  if (name.empty()) return refuse(text, "a type, one space and a name");
  Field field{std::string(type), std::string(name), offset, 0, FieldKind::structure, !type.starts_with('u')};
  if (type.starts_with("struct ")) {
    const auto size = number(rest, 10);
    if (!size || *size == 0 || *size > kStructBytesMax)
      return refuse(text, "a struct's size, 1 to 65536, after its name");
    field.size = *size;
    return field;
  }
  if (!rest.empty() || ends_in_space) return refuse(text, "nothing after the name, and single spaces");
  const auto known = type_of(type);
  if (!known) {
    return refuse(text,
                  "a type: s8 to s64, u8 to u64, char, short, int, unsigned ..., char[1] to char[1024], "
                  "__data_loc or __rel_loc, struct");
  }
  field.size = known->size;
  field.kind = known->kind;
  return field;
}

}  // namespace

bool Field::is_dynamic_text() const {
  return (kind == FieldKind::data_loc || kind == FieldKind::rel_loc) && type.find("char") != std::string::npos;
}

std::uint32_t EventFormat::payload_bytes() const {
  return fields.empty() ? 0 : fields.back().offset + fields.back().size - kRecordHeaderBytes;
}

const Field* EventFormat::find(std::string_view field) const {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field& known) { return known.name == field; });
  return at == fields.end() ? nullptr : &*at;
}

Result<EventFormat> EventFormat::parse(std::string_view command, Era era) {
  if (command.size() > kCommandCharsMax) {
    return fail(EINVAL, "a registration has at most 511 characters, this one " + std::to_string(command.size()));
  }
  if (command.find('\0') != std::string_view::npos) return fail(EINVAL, "a registration has no zero byte");
  EventFormat format;
  std::string_view name = take_word(command);
  const std::size_t colon = name.find(':');
  if (colon != std::string_view::npos && era == Era::address) {
    return fail(EINVAL, "no ':' in an event's name; flags are given apart");
  }
  format.name = name.substr(0, colon);
  std::uint32_t offset = kRecordHeaderBytes;
  while (!command.empty()) {
    const std::size_t semicolon = command.find(';');
    std::string_view text = command.substr(0, semicolon);
    command.remove_prefix(semicolon == std::string_view::npos ? command.size() : semicolon + 1);
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    if (text.empty()) continue;
    Result<Field> field = parse_field(text, offset);
    if (!field) return std::move(field).error();
    offset += field->size;
    format.fields.push_back(*std::move(field));
  }
  return format;
}

}  // namespace vif::trace
