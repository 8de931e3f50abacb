// SPDX-License-Identifier: BSD-2-Clause
// UEFI capsules (UEFI 2.10, sections 8.5.3 and 23.2 to 23.4): firmware for one or more images, or one of the two empty
// ones that accept or revert an update (Arm DEN0118). One reader, which asks a ByteRange for the headers only and
// checks every length and offset before it uses it: what it returns is in range and does not overlap. Plain values, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "netstack/base/api.hpp"
#include "services/fwu/byte_range.hpp"
#include "services/fwu/guid.hpp"

namespace vif::fwu {

// Capsule flags. The low 16 belong to the capsule's GUID; the code of all firmware reads bit 15 as below, though the
// prose of Arm's MBFW guide says the reverse.
inline constexpr std::uint32_t kAcceptLater = 0x8000;  // on trial, until accept capsules come
inline constexpr std::uint32_t kPersistAcrossReset = 0x10000;
inline constexpr std::uint32_t kPopulateSystemTable = 0x20000;
inline constexpr std::uint32_t kInitiateReset = 0x40000;

// Bits of FmpItem::support.
inline constexpr std::uint64_t kSupportsAuthentication = 1;
inline constexpr std::uint64_t kSupportsDependency = 2;

enum class CapsuleKind : std::uint8_t { firmware, accept, revert };

struct CapsuleHeader {
  static constexpr std::size_t kBytes = 28;
  Guid guid;
  std::uint32_t header_size = kBytes;  // the body begins here; EDK2's tool writes 32
  std::uint32_t flags = 0;
  std::uint32_t image_size = 0;  // the whole capsule; a file may be longer
};

// The signature over the rest of the image followed by the count (8 bytes, little-endian). It covers neither the item's
// header nor the capsule's.
struct Authentication {
  std::uint64_t monotonic_count = 0;
  std::vector<std::byte> pkcs7;     // DER of a detached SignedData
  std::uint64_t signed_offset = 0;  // of the signed rest, from the front of the capsule; it ends with the image
};

struct PayloadVersion {
  std::uint32_t fw_version = 0;
  std::uint32_t lowest_supported_version = 0;
};

// One image of a firmware capsule. Offsets are from the front of the capsule.
struct FmpItem {
  std::uint32_t version = 3;  // of the item header: 1 to 3
  Guid image_type;
  std::uint8_t image_index = 1;         // from 1
  std::uint64_t hardware_instance = 0;  // 0: any
  std::uint64_t support = 0;
  std::optional<Authentication> authentication;
  std::vector<std::byte> dependency;      // an expression (dependency.hpp); empty: none
  std::optional<PayloadVersion> payload;  // the MSS1 header, when there is one
  std::uint64_t image_offset = 0;         // what is written to the partition
  std::uint64_t image_bytes = 0;
  std::uint64_t end_offset = 0;  // of the item: image and vendor code
};

struct Capsule {
  CapsuleHeader header;
  CapsuleKind kind = CapsuleKind::firmware;
  Guid accept_image_type;         // of an accept capsule
  std::uint32_t fmp_version = 1;  // of a firmware capsule, as all below
  std::uint16_t drivers = 0;      // in front of the items; skipped
  std::vector<FmpItem> items;

  // Errors: EINVAL malformed, ENOTSUP another GUID, version or more than 64 items, EKEYREJECTED an authentication
  // header that cannot be one, EIO from the range. The sentence says at which byte.
  VIF_API static Result<Capsule> read(ByteRange& file);
};

// Only the first 28 bytes, checked for nothing but being there: for results of capsules that `read` refused.
VIF_API Result<CapsuleHeader> read_capsule_header(ByteRange& file);

}  // namespace vif::fwu
