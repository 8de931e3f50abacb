// SPDX-License-Identifier: BSD-2-Clause
// The numbers of the classic pcap file format, shared by its parser and its writer.
// Sources: draft-ietf-opsawg-pcap (sections "General File Structure", "File Header", "Packet Record");
// pcap-savefile(5); libpcap sf-pcap.c for the modified format and for versions before 2.4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vif::net::pcap {

// The first 32 bits, in the writer's byte order.
inline constexpr std::uint32_t kMagicUs = 0xa1b2c3d4;  // timestamps in s and us
inline constexpr std::uint32_t kMagicNs = 0xa1b23c4d;  // in s and ns
inline constexpr std::uint32_t kMagicModified =
    0xa1b2cd34;  // us; longer record headers (libpcap: KUZNETZOV_TCPDUMP_MAGIC)

// File header: magic u32, major u16, minor u16, zone u32, accuracy u32, snap length u32, link type u32.
inline constexpr std::size_t kFileHeaderBytes = 24;
inline constexpr std::uint16_t kVersionMajor = 2;
inline constexpr std::uint16_t kVersionMinor = 4;
inline constexpr std::uint16_t kVersionMajorDgux = 543;  // DG/UX tcpdump wrote 543.0

// Above these bits the field says whether frames end with a frame check sequence, and of how many 16-bit words.
inline constexpr std::uint32_t kLinkTypeMask = 0x03ffffff;
inline constexpr std::uint32_t kHasFcs = 0x04000000;
inline constexpr unsigned kFcsWordsShift = 28;

// Record header: seconds u32, us or ns u32, captured length u32, wire length u32; the modified format adds interface
// index u32, protocol u16, packet type u8 and a pad byte.
inline constexpr std::size_t kRecordHeaderBytes = 16;
inline constexpr std::size_t kModifiedRecordHeaderBytes = 24;

}  // namespace vif::net::pcap
