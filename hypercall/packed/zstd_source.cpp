// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packed/zstd_source.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <vector>

namespace vif::host {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2F'B528, kSkippableMagic = 0x184D'2A50, kSkippableMask = 0xFFFF'FFF0;

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> packed, std::string path)
      : packed_(std::move(packed)), path_(std::move(path)), stream_(::ZSTD_createDStream()) {}

  Status open() {
    if (!stream_ || ::ZSTD_isError(::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindowLog)) != 0)
      return fail(std::errc::not_enough_memory, path_ + ": no memory to unpack");
    chunk_.resize(::ZSTD_DStreamInSize());
    return {};
  }

  Result<std::size_t> read(MutBytes into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos == 0 && damage_ == 0) {
      if (in_.pos == in_.size && !holds_more_) {
        const Result<std::size_t> n = packed_->read(chunk_);
        if (!n) return n.error();
        if (*n == 0) return between_frames_ ? Result<std::size_t>(0) : damaged("it ends in the middle");
        in_ = {chunk_.data(), *n, 0};
      }
      const std::size_t status = ::ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (::ZSTD_isError(status) != 0) damage_ = status;
      between_frames_ = status == 0;
      holds_more_ = status != 0 && out.pos == out.size;  // of the output, perhaps
    }
    if (out.pos > 0) return out.pos;  // what came out before the damage is given first
    if (::ZSTD_getErrorCode(damage_) == ZSTD_error_frameParameter_windowTooLarge) {
      return fail(EFBIG, path_ + ": packed with a window of more than " + std::to_string(kZstdWindowBytes >> 20) +
                             " MiB: unpack it with `zstd -d --long=31` first");
    }
    return damaged(::ZSTD_getErrorName(damage_));
  }

 private:
  Error damaged(const char* why) const { return fail(std::errc::bad_message, path_ + ": damaged zstd: " + why); }

  std::unique_ptr<ByteSource> packed_;
  std::string path_;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  std::vector<std::byte> chunk_;
  ZSTD_inBuffer in_{};
  std::size_t damage_ = 0;  // libzstd's word on it
  bool between_frames_ = false;
  bool holds_more_ = false;
};

}  // namespace

bool begins_as_zstd(Bytes head) {
  if (head.size() < 4) return false;
  const auto magic = load<std::uint32_t, std::endian::little>(head.data());
  return magic == kFrameMagic || (magic & kSkippableMask) == kSkippableMagic;
}

Result<std::unique_ptr<ByteSource>> open_zstd(std::unique_ptr<ByteSource> packed, const std::string& path) {
  auto unpacked = std::make_unique<ZstdSource>(std::move(packed), path);
  if (Status opened = unpacked->open(); !opened) return std::move(opened).error();
  return std::unique_ptr<ByteSource>(std::move(unpacked));
}

}  // namespace vif::host
