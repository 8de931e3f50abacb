// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace vif::tools {
namespace {

// RFC 3629: how many bytes from the front are one character that a terminal shows; 0: they are none.
std::size_t shown_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return 0;
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = byte(1);
  const bool is_long = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_control = first == 0xc2 && second < 0xa0;  // C1: some terminals obey them
  const bool is_beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return is_long || is_control || is_beyond ? 0 : bytes;
}

}  // namespace

std::string fwu_printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t bytes = shown_bytes(text);
    if (bytes > 0) shown += text.substr(0, bytes);
    else shown += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[0]));
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return shown;
}

}  // namespace vif::tools
