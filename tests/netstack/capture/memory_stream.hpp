// SPDX-License-Identifier: BSD-2-Clause
// A file in memory behind the byte ports: gives its bytes in pieces of chosen sizes, and fails where a test says.
// Single-threaded.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "netstack/base/stream.hpp"

namespace vif::test {

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

class MemorySource final : public ByteSource {
 public:
  // Gives pieces of these sizes in turn (0: EAGAIN; empty: whatever is asked for) and fails with EIO once `fail_at`
  // bytes are out.
  explicit MemorySource(Bytes file, std::vector<std::size_t> pieces = {}, std::size_t fail_at = kNever)
      : file_(file), pieces_(std::move(pieces)), fail_at_(fail_at) {}

  Result<std::size_t> read(MutBytes into) override {
    if (at_ == fail_at_) return fail(std::errc::io_error, "the disk is gone");
    std::size_t bytes = std::min({into.size(), file_.size() - at_, fail_at_ - at_});
    const std::size_t piece = pieces_.empty() ? kNever : pieces_[turn_++ % pieces_.size()];
    if (piece == 0) return fail(EAGAIN, "nothing is there yet");
    bytes = std::min(bytes, piece);
    if (bytes > 0) std::memcpy(into.data(), file_.data() + at_, bytes);
    at_ += bytes;
    return bytes;
  }

 private:
  Bytes file_;
  std::vector<std::size_t> pieces_;
  std::size_t fail_at_;
  std::size_t at_ = 0;
  std::size_t turn_ = 0;
};

class MemorySink final : public ByteSink {
 public:
  // Takes `appends` calls, then says ENOSPC.
  explicit MemorySink(std::size_t appends = kNever) : appends_left_(appends) {}

  Status append(Bytes bytes) override {
    calls_++;
    if (appends_left_ == 0) return fail(std::errc::no_space_on_device, "the disk is full");
    appends_left_--;
    file_.insert(file_.end(), bytes.begin(), bytes.end());
    return {};
  }

  const std::vector<std::byte>& file() const { return file_; }
  std::size_t calls() const { return calls_; }

 private:
  std::vector<std::byte> file_;
  std::size_t appends_left_;
  std::size_t calls_ = 0;
};

}  // namespace vif::test
