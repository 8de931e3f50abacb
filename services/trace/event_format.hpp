// SPDX-License-Identifier: BSD-2-Clause
// An event's name and fields, and the text they are registered with:
//
//   command = name [ ":" flags ] [ " " field *( ";" field ) ]      net_drop u32 reason; __rel_loc char[] ifname
//   field   = type " " name | "struct" " " tag " " name " " size
//
// The one reader of that text, and the writers of the texts made from it. What is accepted is what Linux's user_events
// accepts (Documentation/trace/user_events.rst and kernel/trace/trace_events_user.c). Values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"

namespace vif::trace {

// Characters of a command; MAX_EVENT_DESC without its NUL.
inline constexpr std::size_t kCommandCharsMax = 511;
// Of char[N]: MAX_FIELD_ARRAY_SIZE.
inline constexpr std::uint32_t kArrayBytesMax = 1024;
// Of a struct field. The kernel has no limit and takes sizes above INT_MAX for error codes; no sub-buffer holds this.
inline constexpr std::uint32_t kStructBytesMax = 64 * 1024;
// Of what precedes the fields in a record: common_type u16, common_flags u8, common_preempt_count u8, common_pid s32.
inline constexpr std::uint32_t kRecordHeaderBytes = 8;

enum class FieldKind : std::uint8_t {
  number,  // 1, 2, 4 or 8 bytes, native order
  text,    // char[N] or unsigned char[N]
  structure,
  data_loc,  // u32: size << 16 | offset from the record's begin
  rel_loc,   // u32: size << 16 | offset from this field's end
};

struct Field {
  std::string type;  // as registered; of a struct "struct TAG"
  std::string name;
  std::uint32_t offset;  // in the record, so the first is at kRecordHeaderBytes; packed, never aligned
  std::uint32_t size;    // bytes
  FieldKind kind;
  bool is_signed;

  // Dynamic data that must end in a NUL; also what makes a *_loc a string to filters and printing.
  bool is_dynamic_text() const;
  friend bool operator==(const Field&, const Field&) = default;
};

// Whose rules: where Linux changed its mind, both are here.
enum class Era : std::uint8_t {
  bits,     // 6.1 to 6.3, a page of status bits: ":flags" are ignored, matching leaves struct sizes out
  address,  // 6.4 and later, a bit in the caller's memory: ":flags" are refused, struct sizes have to match
};

struct VIF_API EventFormat {
  std::string name;  // up to ':' or ' '
  std::vector<Field> fields;

  // The bytes a write must supply at least; dynamic data comes after them.
  std::uint32_t payload_bytes() const;
  const Field* find(std::string_view field) const;

  // EINVAL: longer than kCommandCharsMax, or not the grammar; the text says where.
  static Result<EventFormat> parse(std::string_view command, Era era = Era::bits);
};

// "u32 a; struct s b 20": what a field list is written like, and read back as.
VIF_API std::string fields_text(const EventFormat& format);
// Whether `text` lists exactly these fields as "type name" each. A ';' at the end and spaces around one make no
// difference.
VIF_API bool fields_match(const EventFormat& format, std::string_view text, Era era);

// "\"a=%u\", REC->a": the kernel's print fmt.
VIF_API std::string print_format(const EventFormat& format);
// The event's `format` file, as libtraceevent reads it. `name`: the tracepoint's; `type_id`: common_type.
VIF_API std::string format_file(const EventFormat& format, std::string_view name, std::uint16_t type_id);

// A `format` file read, ours or the kernel's.
struct FormatFile {
  EventFormat format;  // its name is the tracepoint's; a field that is neither number nor text is a structure
  std::uint16_t type_id;
};
// EINVAL: not such a file; the text says what was expected.
VIF_API Result<FormatFile> read_format_file(std::string_view text);

}  // namespace vif::trace
