// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/payload.hpp"

#include <algorithm>

namespace vif::trace {

Slices::Slices(std::span<const Bytes> slices) : slices_(slices) {
  for (const Bytes slice : slices) bytes_ += slice.size();
}

bool Slices::copy_to(MutBytes to) const {
  auto at = to.begin();
  for (const Bytes slice : slices_) at = std::copy(slice.begin(), slice.end(), at);
  return true;
}

bool locations_valid(const EventFormat& format, Bytes record) {
  for (const Field& field : format.fields) {
    if (field.kind != FieldKind::data_loc && field.kind != FieldKind::rel_loc) continue;
    const auto location = load<std::uint32_t, std::endian::native>(&record[field.offset]);
    const std::size_t from = field.kind == FieldKind::rel_loc ? field.offset + field.size : 0;
    const std::size_t begin = from + (location & 0xffff), size = location >> 16;
    if (begin + size > record.size()) return false;
    if (field.is_dynamic_text() && (size == 0 || record[begin + size - 1] != std::byte{0})) return false;
  }
  return true;
}

}  // namespace vif::trace
