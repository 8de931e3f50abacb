// SPDX-License-Identifier: BSD-2-Clause
// Metadata and GUIDs for tests: made up, of any number of banks and images, everything accepted, bank 0 active.
#pragma once

#include "services/fwu/metadata.hpp"

namespace vif::test {

// A GUID that looks as if a tool had made it; `what` and `number` tell one from another.
inline fwu::Guid some_guid(std::uint8_t what, std::uint8_t number) {
  fwu::Guid guid{};
  guid.on_disk.fill(0x11);
  guid.on_disk[0] = what, guid.on_disk[1] = number, guid.on_disk[6] = 0x02, guid.on_disk[7] = 0x41,
  guid.on_disk[8] = 0x81;
  return guid;
}
inline fwu::Guid image_type(std::size_t image) { return some_guid(0x70, static_cast<std::uint8_t>(image)); }
inline fwu::Guid bank_image(std::size_t image, std::size_t bank) {
  return some_guid(static_cast<std::uint8_t>(0xb0 + bank), static_cast<std::uint8_t>(image));
}

inline fwu::Metadata some_metadata(std::uint32_t version, std::uint32_t banks = 2, std::uint32_t images = 2) {
  fwu::Metadata metadata;
  metadata.version = version;
  metadata.banks = banks;
  metadata.previous_active_index = banks - 1;
  for (std::uint32_t bank = 0; version == 2 && bank < banks; ++bank) metadata.bank_state_bytes[bank] = 0xfc;
  for (std::uint32_t image = 0; image < images; ++image) {
    fwu::ImageEntry entry{image_type(image), some_guid(0x10, 0), {}};
    for (std::uint32_t bank = 0; bank < banks; ++bank) entry.banks.push_back({bank_image(image, bank), 1, 0});
    metadata.images.push_back(entry);
  }
  return metadata;
}

}  // namespace vif::test
