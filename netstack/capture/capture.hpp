// SPDX-License-Identifier: BSD-2-Clause
// The words shared by everything that reads or writes capture files: a frame, the interface it came from, the formats.
// Plain values, any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "netstack/base/bytes.hpp"
#include "netstack/capture/time_scale.hpp"

namespace vif::net {

enum class CaptureFormat : std::uint8_t {
  pcap,    // draft-ietf-opsawg-pcap: one link type, no interfaces
  pcapng,  // draft-ietf-opsawg-pcapng: sections of interfaces and packets
};

// The most captured bytes one frame may have; a record that claims more is damage, not a frame.
// Source: libpcap pcap-int.h, MAXIMUM_SNAPLEN.
inline constexpr std::size_t kCaptureFrameBytesMax = 262144;

// Interfaces of one file, all sections together.
inline constexpr std::size_t kCaptureInterfacesMax = 65536;

// An interface's name; longer ones are cut when read and refused when written.
inline constexpr std::size_t kCaptureNameBytesMax = 255;

// Link types, as the file's number (not libpcap's DLT_). Source: tcpdump.org/linktypes.html, LINKTYPE_ETHERNET.
inline constexpr std::uint32_t kLinkTypeEthernet = 1;

// One captured frame. `bytes` is borrowed from whoever hands the frame out, and its comment says for how long.
struct CaptureFrame {
  Bytes bytes;                   // what was captured, at most kCaptureFrameBytesMax
  std::uint32_t wire_bytes = 0;  // how long the file says the frame was; contradictory files say less than was captured
  std::uint32_t link_type = 0;   // kLinkTypeEthernet, ...
  std::uint32_t interface = 0;   // index into the file's interfaces, counted through all sections
  std::int64_t timestamp_ns = 0;  // ns since 1970-01-01 UTC; any value; 0 without a time
  bool has_time = false;          // false only for pcapng's simple packet block

  // Takes off the frame check sequence that the frame had on the wire, as far as it was captured.
  void trim_fcs(std::uint32_t fcs_bytes) {
    const std::size_t whole_bytes = std::max<std::size_t>(bytes.size(), wire_bytes);
    bytes = bytes.first(std::min(bytes.size(), whole_bytes - std::min<std::size_t>(whole_bytes, fcs_bytes)));
    wire_bytes -= std::min(wire_bytes, fcs_bytes);
  }
};

// Where frames came from. Classic pcap has exactly one, without a name.
struct CaptureInterface {
  std::string name;              // empty if the file names none; any bytes
  std::uint32_t link_type = 0;   // kLinkTypeEthernet, ...
  std::uint32_t snap_bytes = 0;  // as the file says, 0 = no limit; frames may be longer all the same
  std::uint8_t fcs_bytes = 0;    // what its frames ended with, which was taken off when they were read
  TimeScale time;                // pcapng: how its timestamps count
};

}  // namespace vif::net
