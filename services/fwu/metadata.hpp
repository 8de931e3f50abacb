// SPDX-License-Identifier: BSD-2-Clause
// FWU metadata (Arm DEN0118), versions 1 and 2: which bank of firmware images boots, which one did before, and how far
// each is trusted. One reader and one writer; what they do not understand (reserved fields, vendor data) is kept byte
// by byte. A plain value, any thread. The rules between the fields are bank_rules.hpp; the two copies on a medium are
// metadata_copies.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "services/fwu/guid.hpp"

namespace vif::fwu {

inline constexpr std::uint32_t kBanksMax = 4;
// Ours: a copy is read whole, so it must end somewhere. 4 banks of 480 images fit.
inline constexpr std::size_t kMetadataBytesMax = 64 * 1024;

// Bits are only ever cleared on the way from invalid to accepted, so NOR flash needs no erase.
enum class BankState : std::uint8_t {
  invalid = 0xff,   // some image is corrupt or half written, or the bank failed its trial: never boots
  valid = 0xfe,     // complete, not accepted yet: on trial
  accepted = 0xfc,  // complete and accepted
};
VIF_API std::string_view name_of(BankState state);

// One image of one bank.
struct BankImage {
  Guid image;                  // the unique GUID of its partition
  std::uint32_t accepted = 0;  // bit 0; the others are zero
  std::uint32_t reserved = 0;

  bool is_accepted() const { return (accepted & 1) != 0; }
  void accept(bool is_accepted) { accepted = (accepted & ~1u) | (is_accepted ? 1u : 0u); }
  bool operator==(const BankImage&) const = default;
};

struct ImageEntry {
  Guid image_type;  // also the type GUID of its partitions
  Guid location;    // the volume they are on; may be nil
  std::vector<BankImage> banks;
  bool operator==(const ImageEntry&) const = default;
};

// What version 1 does not store.
struct Geometry {
  std::uint32_t banks = 0;   // 1..kBanksMax
  std::uint32_t images = 0;  // of each bank, 1 or more
};

struct Metadata {
  std::uint32_t version = 2;
  std::uint32_t active_index = 0;
  std::uint32_t previous_active_index = 0;
  std::uint32_t banks = 0;                                                          // 1..kBanksMax
  std::array<std::uint8_t, kBanksMax> bank_state_bytes = {0xff, 0xff, 0xff, 0xff};  // version 2; as on disk
  std::vector<ImageEntry> images;
  std::vector<std::byte> vendor;  // version 2: what follows the images
  std::uint16_t reserved_head = 0;
  std::uint32_t reserved_tail = 0;
  std::uint8_t reserved_descriptor = 0;
  GuidOrder guid_order = GuidOrder::efi_mixed_endian;  // as on disk; here all GUIDs are mixed-endian

  // Reads the copy at the front of `bytes`; what follows it is not looked at. A version 1 copy needs `geometry`;
  // without, each that fits is tried, and the CRC tells. Errors: EBADMSG damaged (the sentence says where), ENOTSUP a
  // version or a layout of a later document.
  VIF_API static Result<Metadata> parse(Bytes bytes, std::optional<Geometry> geometry = {});

  // The same without asking for the CRC, for an operator who knows what the copy should be (`repair --force`).
  VIF_API static Result<Metadata> parse_despite_crc(Bytes bytes, std::optional<Geometry> geometry);

  // As on disk, with a fresh CRC.
  VIF_API std::vector<std::byte> store() const;
  VIF_API std::size_t size_bytes() const;

  bool operator==(const Metadata&) const = default;
};

}  // namespace vif::fwu
