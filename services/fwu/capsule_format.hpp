// SPDX-License-Identifier: BSD-2-Clause
// Where the fields of a capsule are: UEFI 2.10, sections 8.5.3 (header), 23.2 (FMP capsule), 23.1 (authentication); the
// payload header is EDK2's (FmpDevicePkg). For the reader and the writer of capsules only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vif::fwu::format {

// EFI_CAPSULE_HEADER
inline constexpr std::size_t kCapsuleHeaderSizeAt = 16;
inline constexpr std::size_t kCapsuleFlagsAt = 20;
inline constexpr std::size_t kCapsuleImageSizeAt = 24;

// EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER, then a u64 offset for each driver and item
inline constexpr std::size_t kFmpHeaderBytes = 8;
inline constexpr std::size_t kFmpDriversAt = 4;  // u16
inline constexpr std::size_t kFmpItemsAt = 6;    // u16
inline constexpr std::size_t kFmpOffsetBytes = 8;
inline constexpr std::uint32_t kFmpVersion = 1;

// EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER
inline constexpr std::size_t kItemTypeAt = 4;
inline constexpr std::size_t kItemIndexAt = 20;
inline constexpr std::size_t kItemImageSizeAt = 24;        // u32: authentication and payload header included
inline constexpr std::size_t kItemVendorSizeAt = 28;       // u32
inline constexpr std::size_t kItemInstanceAt = 32;         // u64, from version 2
inline constexpr std::size_t kItemSupportAt = 40;          // u64, from version 3
inline constexpr std::size_t kItemBytes[] = {32, 40, 48};  // of versions 1, 2, 3

// EFI_FIRMWARE_IMAGE_AUTHENTICATION: a count, then WIN_CERTIFICATE_UEFI_GUID, then the certificate's data
inline constexpr std::size_t kCertLengthAt = 8;     // u32, counted from here
inline constexpr std::size_t kCertRevisionAt = 12;  // u16
inline constexpr std::size_t kCertKindAt = 14;      // u16
inline constexpr std::size_t kCertTypeAt = 16;
inline constexpr std::size_t kCertDataAt = 32;
inline constexpr std::uint16_t kCertRevision = 0x0200;
inline constexpr std::uint16_t kCertKindGuid = 0x0ef1;  // WIN_CERT_TYPE_EFI_GUID

// FMP_PAYLOAD_HEADER
inline constexpr std::uint32_t kPayloadSignature = 0x3153'534d;  // "MSS1"
inline constexpr std::size_t kPayloadSizeAt = 4;
inline constexpr std::size_t kPayloadVersionAt = 8;
inline constexpr std::size_t kPayloadLowestAt = 12;
inline constexpr std::size_t kPayloadHeaderBytes = 16;

}  // namespace vif::fwu::format
