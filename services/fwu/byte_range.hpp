// SPDX-License-Identifier: BSD-2-Clause
// Bytes that can be read at any place: a capsule file, a partition. Readers of formats ask for a few at a time and
// check every length first, so neither is ever in memory as a whole.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"

namespace vif::fwu {

// One thread at a time.
class ByteRange {
 public:
  virtual ~ByteRange() = default;

  // As of opening; a file may shrink under us, then `read` fails.
  virtual std::uint64_t size_bytes() const = 0;

  // Fills all of `into` from byte `offset`, or fails: EIO when fewer are there or the medium refuses.
  virtual Status read(std::uint64_t offset, MutBytes into) = 0;
};

// Bytes in memory, borrowed for its life.
class MemoryRange final : public ByteRange {
 public:
  explicit MemoryRange(Bytes bytes) : bytes_(bytes) {}

  std::uint64_t size_bytes() const override { return bytes_.size(); }

  Status read(std::uint64_t offset, MutBytes into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) {
      return fail(std::errc::io_error, "the bytes end at " + std::to_string(bytes_.size()));
    }
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }

 private:
  Bytes bytes_;
};

}  // namespace vif::fwu
