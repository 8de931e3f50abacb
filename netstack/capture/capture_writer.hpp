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

namespace vif::net {

class CaptureWriter {
 public:
  CaptureWriter(ByteSink& sink, CaptureFormat format);

  // Describes where frames come from; returns the number to put in CaptureFrame::interface (0, 1, ...). pcapng takes
  // more at any time; pcap takes one link type, keeps no name, and has no header before this is called.
  // Errors: EINVAL a link type above 65535, or one that differs in pcap; ENAMETOOLONG a name above
  // kCaptureNameBytesMax; EOVERFLOW more than kCaptureInterfacesMax; or an earlier error of the sink.
  Result<std::uint32_t> add_interface(std::string_view name, std::uint32_t link_type);

  // Copies one frame. What a format cannot say becomes the nearest it can: a time before 1970 is 1970; pcap has no time
  // after 2106-02-07; a frame without a time has time 0, except in pcapng on interface 0 with `wire_bytes` equal to
  // what was captured (a simple packet block). Errors: EINVAL an interface never added or a link type that is not its
  // own, EMSGSIZE more than kCaptureFrameBytesMax: the frame is not written, writing may go on. Or the sink's error,
  // which sticks: every later call returns it.
  Status write(const CaptureFrame& frame);

  // Appends what has been collected to the sink. Errors: the sink's; it sticks.
  Status flush();

 private:
  void put_file_header_pcap(std::uint32_t link_type);
  void put_section_header();
  void put_interface(std::string_view name, std::uint32_t link_type);
  void put_pcap(const CaptureFrame& frame);
  void put_enhanced(const CaptureFrame& frame);
  void put_simple(const CaptureFrame& frame);

  std::byte* begin_block(std::uint32_t type, std::size_t body_bytes);
  std::byte* extend(std::size_t bytes);
  Status flush_if_full();

  ByteSink& sink_;
  const CaptureFormat format_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffered_bytes_ = 0;
  std::vector<std::uint32_t> link_types_;  // by interface
  std::optional<Error> error_;             // the sink's, sticky
};

}  // namespace vif::net
