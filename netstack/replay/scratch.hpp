// SPDX-License-Identifier: BSD-2-Clause
// Room for the frames of one burst that are not sent as they were recorded: taken piece by piece, given back at once,
// and kept for the next burst. One thread at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "netstack/base/bytes.hpp"

namespace vif::net {

class Scratch {
 public:
  // Stays where it is until clear(); uninitialised.
  MutBytes take(std::size_t bytes) {
    while (at_ < blocks_.size() && blocks_[at_].size - used_ < bytes) {
      ++at_;
      used_ = 0;
    }
    if (at_ == blocks_.size()) {
      const std::size_t size = std::max(bytes, kBlockBytes);
      blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    }
    const MutBytes taken{blocks_[at_].bytes.get() + used_, bytes};
    used_ += bytes;
    return taken;
  }
  MutBytes copy(Bytes bytes) {
    const MutBytes copied = take(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copied.begin());
    return copied;
  }
  void clear() { at_ = used_ = 0; }

 private:
  static constexpr std::size_t kBlockBytes = 256 * 1024;
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };

  std::vector<Block> blocks_;
  std::size_t at_ = 0, used_ = 0;  // the next byte is blocks_[at_].bytes[used_]
};

}  // namespace vif::net
