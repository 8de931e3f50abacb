// SPDX-License-Identifier: BSD-2-Clause
// Filters of any text: what is accepted answers for any record that is valid without looking outside it, and its
// opposite answers the opposite.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "services/trace/filter.hpp"
#include "services/trace/payload.hpp"

using namespace vif;
using namespace vif::trace;

// The input: a filter, a newline, a record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const EventFormat format =
      *EventFormat::parse("e s32 a; u8 b; u64 c; char[8] t; __rel_loc char[] r; __data_loc char[] d; struct s x 3");
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const Result<Filter> filter = Filter::parse(text, format);
  if (!filter) return 0;
  const Bytes rest = as_bytes(input.substr(std::min(size, text.size() + 1)));
  // Of its own, so that a byte beyond it is noticed.
  std::vector<std::byte> record(std::max<std::size_t>(rest.size(), kRecordHeaderBytes + format.payload_bytes()));
  std::copy(rest.begin(), rest.end(), record.begin());
  if (!locations_valid(format, record)) return 0;
  const bool kept = filter->matches(record);
  // It may be one character too long, a parenthesis too deep, or end in the "&&" that is only forgiven at the end.
  const Result<Filter> opposite = Filter::parse("!(" + std::string(text) + ")", format);
  if (opposite && opposite->matches(record) == kept) __builtin_trap();
  return 0;
}
