// SPDX-License-Identifier: BSD-2-Clause
// The numbers of the pcapng file format, shared by its parser and its writer.
// Source: draft-ietf-opsawg-pcapng (sections "General Block Structure", "Options", and one per block named below; the
// obsolete packet block is in its appendix).
#pragma once

#include <cstddef>
#include <cstdint>

namespace vif::net::pcapng {

// Every block: type u32, total length u32, body, total length again u32; lengths are multiples of 4.
inline constexpr std::size_t kBlockHeaderBytes = 8;
inline constexpr std::size_t kBlockTrailerBytes = 4;
inline constexpr std::size_t kBlockBytesMin = kBlockHeaderBytes + kBlockTrailerBytes;

enum BlockType : std::uint32_t {
  kSectionHeader = 0x0a0d0d0a,  // reads the same in both byte orders
  kInterfaceDescription = 1,
  kObsoletePacket = 2,
  kSimplePacket = 3,
  kEnhancedPacket = 6,
};

// Section header: byte order magic u32, major u16, minor u16, section length u64, options. Minor 2 means 0.
inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
inline constexpr std::uint16_t kVersionMajor = 1;
inline constexpr std::size_t kSectionHeaderBytes = 16;

// Interface description: link type u16, reserved u16, snap length u32, options.
inline constexpr std::size_t kInterfaceHeaderBytes = 8;

// Enhanced packet: interface u32, time high u32, time low u32, captured u32, wire u32, data, options.
// Obsolete packet: the same, but for interface u16 and drops u16. Simple packet: wire u32, data.
inline constexpr std::size_t kPacketHeaderBytes = 20;
inline constexpr std::size_t kSimplePacketHeaderBytes = 4;

// Option: code u16, length u16, value padded to 4.
inline constexpr std::size_t kOptionHeaderBytes = 4;
enum OptionCode : std::uint16_t {
  kEndOfOptions = 0,
  kIfName = 2,
  kSectionUserApplication = 4,
  kIfTimeResolution = 9,
  kIfTimeOffset = 14,
};

// `bytes` rounded up to a multiple of 4.
constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

}  // namespace vif::net::pcapng
