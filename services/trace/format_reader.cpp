// SPDX-License-Identifier: BSD-2-Clause
// From the text of a `format` file to an event's fields; declared in event_format.hpp.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "services/trace/event_format.hpp"

namespace vif::trace {
namespace {

// What stands in `line` between the two; nothing if it is not there.
std::optional<std::string_view> between(std::string_view line, std::string_view before, std::string_view after) {
  const std::size_t begin = line.find(before);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + before.size());
  const std::size_t end = line.find(after);
  if (end == std::string_view::npos) return {};
  return line.substr(0, end);
}

std::optional<std::uint32_t> number(std::optional<std::string_view> digits) {
  if (!digits) return {};
  std::uint32_t value = 0;
  const char* const end = digits->data() + digits->size();
  const auto [rest, error] = std::from_chars(digits->data(), end, value);
  if (error != std::errc{} || rest != end) return {};
  return value;
}

// "char c[8]" is type "char[8]" and name "c"; "__data_loc char[] c" is as it reads.
void take_declaration(std::string_view text, Field& field) {
  std::string brackets;
  if (text.ends_with(']')) {
    const std::size_t bracket = text.rfind('[');
    if (bracket != std::string_view::npos) {
      brackets = text.substr(bracket);
      text = text.substr(0, bracket);
    }
  }
  const std::size_t space = text.rfind(' ');
  field.name = space == std::string_view::npos ? text : text.substr(space + 1);
  field.type = std::string(text.substr(0, space == std::string_view::npos ? 0 : space)) + brackets;
}

FieldKind kind_of(const Field& field) {
  if (field.type.starts_with("__data_loc ")) return field.size == 4 ? FieldKind::data_loc : FieldKind::structure;
  if (field.type.starts_with("__rel_loc ")) return field.size == 4 ? FieldKind::rel_loc : FieldKind::structure;
  if (field.type.starts_with("char[") || field.type.starts_with("unsigned char[")) return FieldKind::text;
  const bool has_size = field.size == 1 || field.size == 2 || field.size == 4 || field.size == 8;
  const bool is_odd = field.type.starts_with("struct ") || field.type.find('[') != std::string::npos;
  return has_size && !is_odd ? FieldKind::number : FieldKind::structure;
}

std::optional<Field> read_field(std::string_view line) {
  const auto declared = between(line, "field:", ";");
  const auto offset = number(between(line, "offset:", ";")), size = number(between(line, "size:", ";")),
             is_signed = number(between(line, "signed:", ";"));
  if (!declared || !offset || !size || !is_signed) return {};
  Field field{"", "", *offset, *size, FieldKind::structure, *is_signed != 0};
  take_declaration(*declared, field);
  field.kind = kind_of(field);
  return field;
}

}  // namespace

Result<FormatFile> read_format_file(std::string_view text) {
  const auto name = between(text, "name: ", "\n");
  const auto id = number(between(text, "\nID: ", "\n"));
  if (!text.starts_with("name: ") || !name || !id || *id > 0xffff) {
    return fail(EINVAL, "an event's format: expected its name and its ID, up to 65535");
  }
  FormatFile file{{std::string(*name), {}}, static_cast<std::uint16_t>(*id)};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with("print fmt:")) break;
    if (line.find("field:") == std::string_view::npos) continue;
    std::optional<Field> field = read_field(line);
    if (!field || field->size > kStructBytesMax || field->offset > kStructBytesMax) {
      return fail(EINVAL, "event " + file.format.name + ": expected a field, its offset, size and sign in \"" +
                              std::string(line) + "\"");
    }
    if (field->offset >= kRecordHeaderBytes) file.format.fields.push_back(*std::move(field));
  }
  return file;
}

}  // namespace vif::trace
