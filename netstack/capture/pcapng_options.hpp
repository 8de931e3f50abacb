// SPDX-License-Identifier: BSD-2-Clause
// Reads the options of a pcapng interface description that change what frames mean. Total: a list that runs out of its
// block, or a value of the wrong length, is passed over. Views borrow the bytes given. Any thread.
// Source: draft-ietf-opsawg-pcapng, "Options" and "Interface Description Block".
#pragma once

#include <string_view>

#include "netstack/base/bytes.hpp"
#include "netstack/capture/pcapng_format.hpp"

namespace vif::net {

struct InterfaceOptions {
  std::string_view name;
  std::uint8_t time_resolution = 6;  // if_tsresol, as TimeScale takes it
  std::int64_t time_offset_s = 0;    // if_tsoffset
  std::uint8_t fcs_bytes = 0;        // if_fcslen; 8 and more are bits
};

template <std::endian kOrder>
InterfaceOptions parse_interface_options(Bytes rest) {
  using namespace pcapng;
  InterfaceOptions options;
  while (rest.size() >= kOptionHeaderBytes) {
    const auto code = load<std::uint16_t, kOrder>(rest.data());
    const auto bytes = load<std::uint16_t, kOrder>(rest.data() + 2);
    rest = rest.subspan(kOptionHeaderBytes);
    if (code == kEndOfOptions || bytes > rest.size()) break;
    if (code == kIfName) options.name = {reinterpret_cast<const char*>(rest.data()), bytes};
    if (code == kIfTimeResolution && bytes == 1) options.time_resolution = std::to_integer<std::uint8_t>(rest[0]);
    if (code == kIfFcsLength && bytes == 1) {
      const auto length = std::to_integer<std::uint8_t>(rest[0]);
      options.fcs_bytes = length < 8 ? length : length / 8;
    }
    if (code == kIfTimeOffset && bytes == 8) {
      options.time_offset_s = static_cast<std::int64_t>(load<std::uint64_t, kOrder>(rest.data()));
    }
    if (padded(bytes) > rest.size()) break;
    rest = rest.subspan(padded(bytes));
  }
  return options;
}

}  // namespace vif::net
