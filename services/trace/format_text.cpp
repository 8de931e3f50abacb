// SPDX-License-Identifier: BSD-2-Clause
// The texts made from a format; declared in event_format.hpp.
#include <algorithm>
#include <array>

#include "services/trace/event_format.hpp"

namespace vif::trace {
namespace {

constexpr std::string_view kCommonFields =
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n";

std::string_view conversion(const Field& field) {
  if (field.type.find("char[") != std::string::npos) return "%s";
  if (field.kind != FieldKind::number) return "%llu";
  if (field.size == 8) return field.is_signed ? "%lld" : "%llu";
  return field.is_signed ? "%d" : "%u";
}

std::string argument(const Field& field) {
  if (!field.is_dynamic_text()) return "REC->" + field.name;
  return (field.kind == FieldKind::data_loc ? "__get_str(" : "__get_rel_str(") + field.name + ")";
}

// An array's brackets come after the name, as in C; libtraceevent cannot read "char[8] c".
std::string declaration(const Field& field) {
  const std::size_t bracket = field.type.find('[');
  if (bracket == std::string::npos || field.kind == FieldKind::data_loc) return field.type + ' ' + field.name;
  return field.type.substr(0, bracket) + ' ' + field.name + field.type.substr(bracket);
}

std::string field_text(const Field& field, Era era) {
  std::string text = field.type + ' ' + field.name;
  if (field.kind == FieldKind::structure && era == Era::address) text += ' ' + std::to_string(field.size);
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string fields_text(const EventFormat& format) {
  std::string text;
  for (const Field& field : format.fields) {
    if (!text.empty()) text += "; ";
    text += field_text(field, Era::address);
  }
  return text;
}

bool fields_match(const EventFormat& format, std::string_view text, Era era) {
  for (const Field& field : format.fields) {
    const std::size_t semicolon = text.find(';');
    if (trimmed(text.substr(0, semicolon)) != field_text(field, era)) return false;
    text.remove_prefix(semicolon == std::string_view::npos ? text.size() : semicolon + 1);
  }
  return trimmed(text).empty();
}

std::string print_format(const EventFormat& format) {
  std::string text = "\"", arguments;
  for (const Field& field : format.fields) {
    if (&field != &format.fields.front()) text += ' ';
    text.append(field.name).append("=").append(conversion(field));
    arguments += ", " + argument(field);
  }
  return text + '"' + arguments;
}

std::string format_file(const EventFormat& format, std::string_view name, std::uint16_t type_id) {
  std::string text = "name: ";
  text.append(name).append("\nID: ").append(std::to_string(type_id)).append("\nformat:\n");
  text.append(kCommonFields).append("\n");
  for (const Field& field : format.fields) {
    text += "\tfield:" + declaration(field) + ";\toffset:" + std::to_string(field.offset) +
            ";\tsize:" + std::to_string(field.size) + ";\tsigned:" + (field.is_signed ? "1" : "0") + ";\n";
  }
  return text + "\nprint fmt: " + print_format(format) + '\n';
}

}  // namespace vif::trace
