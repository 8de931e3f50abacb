// SPDX-License-Identifier: BSD-2-Clause
// Reads any pcap or pcapng file, frame by frame, from a ByteSource: what libpcap reads, and files whose interfaces
// differ, which libpcap does not. Frames are parsed in place in one buffer of 1 MiB, whatever the size of the file.
// The reader borrows the source, which must outlive it; it owns the buffer the frames lie in. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "netstack/base/result.hpp"
#include "netstack/base/stream.hpp"
#include "netstack/capture/capture.hpp"
#include "netstack/capture/parsed_bytes.hpp"
#include "netstack/capture/pcap_parser.hpp"
#include "netstack/capture/pcapng_parser.hpp"

namespace vif::net {

class CaptureReader {
 public:
  // Reads up to the first frame or the end, so that `interfaces()` holds all that is described before it.
  // Errors: EINVAL an empty file or no capture file; ENOTSUP a version that is not understood; EBADMSG damage before
  // the first frame; or the source's own.
  static Result<CaptureReader> open(ByteSource& source);

  // Fills the front of `into` (not empty) and returns how many frames that are; 0 is the clean end of the file. A short
  // count is not the end. The frames' bytes are valid until the next call or the reader's end.
  // Errors come after every whole frame before them, and every later call returns the same one: EBADMSG damage, with
  // the byte offset, what was found there and what was expected; ENOTSUP a section of another version; or the source's
  // own (its text gains the offset). After EAGAIN, the source's, it is worth another try later.
  Result<std::size_t> read(std::span<CaptureFrame> into);

  CaptureFormat format() const;

  // Described so far, all sections, in file order; CaptureFrame::interface is an index into it. Grows while reading;
  // valid until the next read().
  std::span<const CaptureInterface> interfaces() const;

 private:
  explicit CaptureReader(ByteSource& source);

  Status open_format();
  Status open_pcap();
  ParsedBytes parse(std::span<CaptureFrame> into);
  Status refill();
  void end();
  Bytes unparsed() const { return {buffer_.get() + begin_, end_ - begin_}; }

  ByteSource* source_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;  // [begin_, end_) of buffer_ is read and not parsed
  std::size_t end_ = 0;
  std::uint64_t begin_offset_ = 0;  // of begin_ in the file
  bool source_ended_ = false;
  std::variant<PcapngParser, PcapParser> parser_;
  std::optional<Error> error_;  // sticky
};

}  // namespace vif::net
