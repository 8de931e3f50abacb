// SPDX-License-Identifier: BSD-2-Clause
// Writes pcap and pcapng files, little-endian and with nanoseconds on every host, so equal frames give equal files.
// Whole records are collected and appended 256 KiB at a time: whatever a sink that fails has kept is a valid file.
// The writer borrows the sink, which must outlive it. It does not flush when destroyed: call flush(), it can fail.
// One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "netstack/base/result.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/capture/capture.hpp"
#include "netstack/mac_address.hpp"

namespace vif::net {

// What pcapng says of an interface. Texts are UTF-8; an empty one is left out, one above kTextBytesMax is cut.
struct CaptureDescription {
  static constexpr std::size_t kTextBytesMax = 4096;

  std::string_view name;  // at most kCaptureNameBytesMax
  std::uint32_t link_type = kLinkTypeEthernet;
  std::uint32_t snap_bytes = kCaptureFrameBytesMax;  // frames are cut to this
  std::string_view comment = {};
  std::string_view filter = {};  // pcap-filter(7)
  std::optional<MacAddress> address = {};
};

// What pcapng says of a frame besides its bytes.
struct CaptureMarks {
  enum class Direction : std::uint8_t { unknown, in, out };

  Direction direction = Direction::unknown;
  std::uint32_t lost = 0;         // frames of its interface that were lost just before it
  std::string_view comment = {};  // as CaptureDescription's texts
};

// What came of an interface's frames, from the beginning of the capture on.
struct CaptureStatistics {
  std::int64_t begun_ns = 0, ended_ns = 0;  // since 1970-01-01 UTC
  std::optional<std::uint64_t> seen = {};   // by the capture; nullopt: not known
  std::uint64_t matched = 0;                // of these, by its filter
  std::uint64_t dropped = 0;                // of these, for want of room
  std::uint64_t delivered = 0;              // written
};

class CaptureWriter {
 public:
  CaptureWriter(ByteSink& sink, CaptureFormat format);

  // Describes where frames come from; returns the number to put in CaptureFrame::interface (0, 1, ...). pcapng takes
  // more at any time; pcap takes one link type, keeps no name, and has no header before this is called.
  // Errors: EINVAL a link type above 65535, or one that differs in pcap; ENAMETOOLONG a name above
  // kCaptureNameBytesMax; EOVERFLOW more than kCaptureInterfacesMax; or an earlier error of the sink.
  Result<std::uint32_t> add_interface(const CaptureDescription& description);
  Result<std::uint32_t> add_interface(std::string_view name, std::uint32_t link_type) {
    return add_interface({.name = name, .link_type = link_type});
  }

  // Copies one frame. What a format cannot say becomes the nearest it can: a time before 1970 is 1970; pcap has no time
  // after 2106-02-07; a frame without a time has time 0, except in pcapng on interface 0 with `wire_bytes` equal to
  // what was captured (a simple packet block). Errors: EINVAL an interface never added or a link type that is not its
  // own, EMSGSIZE more than kCaptureFrameBytesMax: the frame is not written, writing may go on. Or the sink's error,
  // which sticks: every later call returns it. pcap leaves the marks out.
  Status write(const CaptureFrame& frame, const CaptureMarks& marks = {});

  // What came of an interface's frames; a later one of the same interface replaces it. pcap leaves it out. Errors:
  // EINVAL an interface never added, or the sink's.
  Status write(std::uint32_t interface, const CaptureStatistics& statistics);

  // Appends what has been collected to the sink. Errors: the sink's; it sticks.
  Status flush();

  // How long the file is, with what has been collected.
  std::uint64_t bytes() const { return appended_bytes_ + buffered_bytes_; }

 private:
  void put_file_header_pcap(std::uint32_t link_type);
  void put_section_header();
  void put_interface(const CaptureDescription& description);
  void put_pcap(const CaptureFrame& frame);
  void put_enhanced(const CaptureFrame& frame, const CaptureMarks& marks);
  void put_simple(const CaptureFrame& frame);

  std::byte* begin_block(std::uint32_t type, std::size_t body_bytes);
  std::byte* extend(std::size_t bytes);
  Status flush_if_full();

  ByteSink& sink_;
  const CaptureFormat format_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffered_bytes_ = 0;
  std::uint64_t appended_bytes_ = 0;
  std::vector<std::uint32_t> link_types_;  // by interface
  std::optional<Error> error_;             // the sink's, sticky
};

}  // namespace vif::net
