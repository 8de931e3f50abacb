// SPDX-License-Identifier: BSD-2-Clause
// Where the fields of FWU metadata are: Arm DEN0118 A (version 1) and 1.0 (version 2), the tables of "FWU metadata".
// For metadata.cpp and metadata_writer.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vif::fwu::format {

// Both versions.
inline constexpr std::size_t kCrcAt = 0;  // u32, of all that follows it
inline constexpr std::size_t kCrcBytes = 4;
inline constexpr std::size_t kVersionAt = 4;    // u32
inline constexpr std::size_t kActiveAt = 8;     // u32
inline constexpr std::size_t kPreviousAt = 12;  // u32
inline constexpr std::size_t kHeadV1Bytes = 16;

// Version 2.
inline constexpr std::size_t kSizeAt = 16;          // u32, vendor data included
inline constexpr std::size_t kDescOffsetAt = 20;    // u16
inline constexpr std::size_t kReservedHeadAt = 22;  // u16
inline constexpr std::size_t kBankStateAt = 24;     // u8[4]
inline constexpr std::size_t kReservedTailAt = 28;  // u32
inline constexpr std::size_t kDescriptorAt = 32;
inline constexpr std::size_t kNumBanksAt = 32;            // u8
inline constexpr std::size_t kReservedDescriptorAt = 33;  // u8
inline constexpr std::size_t kNumImagesAt = 34;           // u16
inline constexpr std::size_t kEntrySizeAt = 36;           // u16
inline constexpr std::size_t kBankEntrySizeAt = 38;       // u16
inline constexpr std::size_t kHeadV2Bytes = 40;

// An image entry: type, location, then for each bank its image, accept bits and a reserved word.
inline constexpr std::size_t kEntryHeadBytes = 32;
inline constexpr std::size_t kLocationAt = 16;
inline constexpr std::size_t kBankEntryBytes = 24;
inline constexpr std::size_t kAcceptedAt = 16;
inline constexpr std::size_t kReservedAt = 20;

inline constexpr std::size_t entry_bytes(std::uint32_t banks) { return kEntryHeadBytes + kBankEntryBytes * banks; }

}  // namespace vif::fwu::format
