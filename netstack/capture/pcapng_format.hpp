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
  kInterfaceStatistics = 5,
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

// Interface statistics: interface u32, time high u32, time low u32, options.
inline constexpr std::size_t kStatisticsHeaderBytes = 12;

// Option: code u16, length u16, value padded to 4.
inline constexpr std::size_t kOptionHeaderBytes = 4;
enum OptionCode : std::uint16_t {
  kEndOfOptions = 0,
  kComment = 1,
  kIfName = 2,
  kIfMacAddress = 6,
  kIfTimeResolution = 9,
  kIfFilter = 11,     // a u8 of what kind it is, 0: pcap-filter(7), and the filter
  kIfFcsLength = 13,  // u8; bits in the draft, bytes in its example and in what is written
  kIfTimeOffset = 14,
  kPacketFlags = 2,      // u32, of which the lowest two bits: 1 inbound, 2 outbound
  kPacketDropCount = 4,  // u64: lost between this packet and the one before of its interface
  kSectionUserApplication = 4,
  kStatisticsBegin = 2,  // times as u32 high, u32 low
  kStatisticsEnd = 3,
  kStatisticsReceived = 4,  // u64, as all that follow
  kStatisticsDropped = 5,   // by the interface, for want of resources
  kStatisticsFilterAccept = 6,
  kStatisticsDelivered = 8,
};

// `bytes` rounded up to a multiple of 4.
constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }

}  // namespace vif::net::pcapng
