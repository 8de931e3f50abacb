// SPDX-License-Identifier: BSD-2-Clause
// Frames out of a stream of bytes, where each stands behind its length, big-endian: 4 bytes of it as QEMU's
// `-netdev stream` and passt write them, 2 as vde_plug does.
//
// Bytes go in where room() says and frames come out in place. No system call; one thread.
#pragma once

#include <cassert>
#include <cstring>
#include <memory>
#include <optional>

#include "virtif/link.hpp"

namespace vif::host {

class FrameAssembler {
 public:
  static constexpr std::uint32_t kFrameBytesMax = 69'632;  // QEMU's own: NET_BUFSIZE of its include/net/net.h
  static constexpr std::size_t kReadBytes = 65'536;

  explicit FrameAssembler(std::size_t header_bytes)
      : header_bytes_(header_bytes), buffer_(new std::byte[header_bytes + kFrameBytesMax + kReadBytes]) {
    assert(header_bytes == 2 || header_bytes == 4);
  }

  // Where the next kReadBytes at most go. Only when take() has found no more; ends the life of the frames taken.
  MutBytes room() {
    // What is left is less than a frame, so that it fits.
    if (begin_ > 0) std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return {buffer_.get() + end_, kReadBytes};
  }
  void filled(std::size_t bytes, std::int64_t timestamp_ns) {
    assert(bytes <= kReadBytes);
    end_ += bytes;
    timestamp_ns_ = timestamp_ns;
  }

  // The next whole frames, as many as there are and fit. They stay in place until room() or clear().
  std::size_t take(std::span<drv::RxFrame> frames) {
    std::size_t taken = 0;
    while (taken < frames.size() && !bad_length_ && end_ - begin_ >= header_bytes_) {
      const std::byte* const at = buffer_.get() + begin_;
      const std::uint32_t length = header_bytes_ == 4 ? load_be32(at) : load_be16(at);
      if (length == 0 || length > kFrameBytesMax) {
        bad_length_ = length;
      } else {
        if (end_ - begin_ - header_bytes_ < length) break;
        frames[taken++] = {{at + header_bytes_, length}, 0, timestamp_ns_, {}};
        begin_ += header_bytes_ + length;
      }
    }
    return taken;
  }

  // A length that cannot be: where the next frame begins is not known any more, and take() finds nothing.
  std::optional<std::uint32_t> bad_length() const { return bad_length_; }
  // Some of a frame is here, and not all.
  bool within_frame() const { return begin_ != end_; }

  // For another stream.
  void clear() {
    begin_ = end_ = 0;
    bad_length_.reset();
  }

 private:
  const std::size_t header_bytes_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what is in it and not taken
  std::int64_t timestamp_ns_ = 0;    // of the last read
  std::optional<std::uint32_t> bad_length_;
};

}  // namespace vif::host
