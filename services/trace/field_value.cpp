// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/field_value.hpp"

namespace vif::trace {
namespace {

// Native order, as the writer's was.
std::uint64_t number(Bytes bytes) {
  switch (bytes.size()) {
    case 1:
      return load<std::uint8_t, std::endian::native>(bytes.data());
    case 2:
      return load<std::uint16_t, std::endian::native>(bytes.data());
    case 4:
      return load<std::uint32_t, std::endian::native>(bytes.data());
    default:
      return load<std::uint64_t, std::endian::native>(bytes.data());
  }
}

Bytes part(Bytes record, std::size_t offset, std::size_t bytes) {
  const bool is_inside = offset <= record.size() && bytes <= record.size() - offset;
  return is_inside ? record.subspan(offset, bytes) : Bytes();
}

Bytes dynamic_data(const Field& field, Bytes record, Bytes location) {
  if (location.size() != 4) return {};
  const auto word = load<std::uint32_t, std::endian::native>(location.data());
  const std::size_t from = field.kind == FieldKind::rel_loc ? std::size_t{field.offset} + field.size : 0;
  return part(record, from + (word & 0xffff), word >> 16);
}

}  // namespace

FieldValue field_value(const Field& field, Bytes record) {
  // The text of a trace_marker, "char buf[]" of 0 bytes, is all that is left.
  const bool is_rest = field.kind == FieldKind::text && field.size == 0 && field.offset <= record.size();
  Bytes bytes = part(record, field.offset, is_rest ? record.size() - field.offset : field.size);
  if (field.kind == FieldKind::data_loc || field.kind == FieldKind::rel_loc) bytes = dynamic_data(field, record, bytes);
  if (field.kind == FieldKind::text || field.is_dynamic_text()) {
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text = text.substr(0, text.find('\0'));
    if (is_rest && text.ends_with('\n')) text.remove_suffix(1);
    return text;
  }
  if (field.kind != FieldKind::number || bytes.size() != field.size) return bytes;
  const std::uint64_t value = number(bytes);
  if (!field.is_signed) return value;
  const unsigned unused_bits = 64 - 8 * field.size;
  return static_cast<std::int64_t>(value << unused_bits) >> unused_bits;
}

}  // namespace vif::trace
