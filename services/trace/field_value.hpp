// SPDX-License-Identifier: BSD-2-Clause
// The values in a record, as its event's format says. Believes nothing of the record: what would lie outside it is
// empty. Values over borrowed bytes, any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "services/trace/event_format.hpp"

namespace vif::trace {

// A number is signed or not; a text ends before its NUL; bytes are what is neither, or could not be read.
using FieldValue = std::variant<std::uint64_t, std::int64_t, std::string_view, Bytes>;

// `record`: header and payload.
VIF_API FieldValue field_value(const Field& field, Bytes record);

}  // namespace vif::trace
