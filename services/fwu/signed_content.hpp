// SPDX-License-Identifier: BSD-2-Clause
// What a signature covers, read in order from a capsule: what follows the authentication header, then the count. The
// bytes of the image itself are hashed on their way, so that verifying reads each byte once. For capsule_verifier.cpp
// only.
#pragma once

#include <algorithm>
#include <array>

#include "netstack/base/stream.hpp"
#include "services/fwu/capsule.hpp"
#include "services/fwu/device.hpp"
#include "services/fwu/little_endian.hpp"

namespace vif::fwu {

class SignedContent final : public ByteSource {
 public:
  // `item` is of `file`; both outlive this.
  SignedContent(const FmpItem& item, ByteRange& file, Digest& image_digest)
      : file_(file),
        image_digest_(image_digest),
        at_(item.authentication ? item.authentication->signed_offset : item.image_offset),
        image_(item.image_offset),
        end_(item.image_offset + item.image_bytes) {
    if (!item.authentication) return;
    store_le64(count_.data(), item.authentication->monotonic_count);
    count_left_ = count_;
  }

  Result<std::size_t> read(MutBytes into) override {
    if (at_ == end_) {
      const std::size_t bytes = std::min(into.size(), count_left_.size());
      std::copy_n(count_left_.begin(), bytes, into.begin());
      count_left_ = count_left_.subspan(bytes);
      return bytes;
    }
    // What stands in front of the image is a read of its own: no piece is half hashed.
    const std::uint64_t until = at_ < image_ ? image_ : end_;
    const MutBytes piece = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), until - at_)));
    if (Status read = file_.read(at_, piece); !read) return read.error();
    if (at_ >= image_) image_digest_.update(piece);
    at_ += piece.size();
    return piece.size();
  }

 private:
  ByteRange& file_;
  Digest& image_digest_;
  std::uint64_t at_, image_, end_;
  std::array<std::byte, 8> count_{};
  Bytes count_left_;
};

}  // namespace vif::fwu
