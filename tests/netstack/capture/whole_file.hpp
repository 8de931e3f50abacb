// SPDX-License-Identifier: BSD-2-Clause
// Reads a capture file to its end and keeps what came: frames with bytes of their own, interfaces, and how it ended.
// Shared by the tests and the fuzz target. Single-threaded.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "netstack/capture/capture_reader.hpp"
#include "netstack/capture/capture_writer.hpp"
#include "tests/netstack/capture/memory_stream.hpp"

namespace vif::test {

struct KeptFrame {
  std::vector<std::byte> bytes;
  std::uint32_t wire_bytes = 0;
  std::uint32_t link_type = 0;
  std::uint32_t interface = 0;
  std::int64_t timestamp_ns = 0;
  bool has_time = false;

  bool operator==(const KeptFrame&) const = default;

  net::CaptureFrame view() const { return {bytes, wire_bytes, link_type, interface, timestamp_ns, has_time}; }
};

struct WholeFile {
  std::vector<KeptFrame> frames;
  std::vector<net::CaptureInterface> interfaces;
  std::optional<net::CaptureFormat> format;  // none if the file could not be opened
  std::optional<Error> error;                // none: a clean end

  std::string text() const { return error ? error->text : ""; }
};

// `batch` frames are asked for at a time.
inline WholeFile read_whole(ByteSource& source, std::size_t batch = 16) {
  WholeFile whole;
  Result<net::CaptureReader> reader = net::CaptureReader::open(source);
  if (!reader) {
    whole.error = reader.error();
    return whole;
  }
  whole.format = reader->format();
  std::vector<net::CaptureFrame> frames(batch);
  for (;;) {
    const Result<std::size_t> count = reader->read(frames);
    if (!count && count.error().number() == EAGAIN) continue;
    if (!count) whole.error = count.error();
    if (!count || *count == 0) break;
    for (const net::CaptureFrame& frame : std::span(frames).first(*count)) {
      whole.frames.push_back({{frame.bytes.begin(), frame.bytes.end()},
                              frame.wire_bytes,
                              frame.link_type,
                              frame.interface,
                              frame.timestamp_ns,
                              frame.has_time});
    }
  }
  whole.interfaces.assign(reader->interfaces().begin(), reader->interfaces().end());
  return whole;
}

inline WholeFile read_whole(Bytes file, std::vector<std::size_t> pieces = {}, std::size_t batch = 16) {
  MemorySource source(file, std::move(pieces));
  return read_whole(source, batch);
}

}  // namespace vif::test
