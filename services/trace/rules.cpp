// SPDX-License-Identifier: BSD-2-Clause
#include "services/trace/rules.hpp"

#include <algorithm>
#include <cerrno>

namespace vif::trace {
namespace {

bool is_odd(std::string_view name) {
  return name.empty() || std::any_of(name.begin(), name.end(), [](char c) {
           return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

}  // namespace

Status Rules::check_names(const EventFormat& format) const {
  if (mode_ == Mode::compat) return {};
  if (is_odd(format.name)) {
    return fail(EINVAL, "an event's name is not empty and has no '/' or control character: \"" + format.name + "\"");
  }
  for (auto field = format.fields.begin(); field != format.fields.end(); ++field) {
    if (is_odd(field->name)) return fail(EINVAL, "a field's name has no '/' or control character: " + field->name);
    const bool twice =
        std::any_of(format.fields.begin(), field, [&](const Field& other) { return other.name == field->name; });
    if (twice) return fail(EINVAL, "every field has a name of its own, but '" + field->name + "' came before");
  }
  return {};
}

Status Rules::check_fields(const EventFormat& known, const EventFormat& asked, Era era) const {
  const bool any = mode_ == Mode::compat && era == Era::bits;
  if (any || known.fields == asked.fields) return {};
  return fail(EADDRINUSE, "'" + known.name + "' is registered with other fields: " + fields_text(known) +
                              "; register it with these, or under another name");
}

int Rules::disabled_write() const { return mode_ == Mode::compat ? 0 : EBADF; }

unsigned Rules::status_max() const { return mode_ == Mode::compat ? 32768 : 32767; }

}  // namespace vif::trace
