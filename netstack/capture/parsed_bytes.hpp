// SPDX-License-Identifier: BSD-2-Clause
// What both format parsers tell the reader after one pass over the bytes it holds, and how they word damage.
// Plain values, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "netstack/base/result.hpp"

namespace vif::net {

struct ParsedBytes {
  std::size_t frames = 0;       // written to the front of the caller's array; their bytes lie in the parsed input
  std::size_t bytes_done = 0;   // from the front of the input; the rest is the beginning of a record
  bool frames_full = false;     // stopped at a frame because the array was full, not because input ran out
  std::optional<Error> damage;  // what follows the frames cannot be read, ever
};

// Damage is EBADMSG and reads "<what> at byte <offset>: <detail>".
inline Error capture_damage(std::string_view what, std::uint64_t offset, std::string_view detail) {
  return fail(std::errc::bad_message,
              std::string(what) + " at byte " + std::to_string(offset) + ": " + std::string(detail));
}

// "<what> cut short at byte <offset>: <present> of <expected> bytes present".
inline Error capture_cut_short(std::string_view what, std::uint64_t offset, std::uint64_t present,
                               std::uint64_t expected) {
  return capture_damage(std::string(what) + " cut short", offset,
                        std::to_string(present) + " of " + std::to_string(expected) + " bytes present");
}

}  // namespace vif::net
