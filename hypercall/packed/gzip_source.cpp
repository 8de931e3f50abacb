// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packed/gzip_source.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace vif::host {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kMagicBytes = 2;
constexpr int kGzipOnly = 15 + 16;  // inflateInit2: the largest window, gzip framing (zlib.h)

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> packed, std::string path)
      : packed_(std::move(packed)), path_(std::move(path)), chunk_(kChunkBytes) {}
  ~GzipSource() override {
    if (open_) ::inflateEnd(&stream_);
  }

  Status open() {
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK)
      return fail(std::errc::not_enough_memory, path_ + ": no memory to unpack");
    open_ = true;
    return {};
  }

  Result<std::size_t> read(MutBytes into) override {
    if (ended_) return std::size_t{0};
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), UINT32_MAX));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        const Result<std::size_t> n = packed_->read(chunk_);
        if (!n) return n.error();
        if (*n == 0 && (between_members_ || stream_.total_in < kMagicBytes)) return std::size_t{0};
        if (*n == 0) return damaged("it ends in the middle");
        stream_.next_in = reinterpret_cast<Bytef*>(chunk_.data());
        stream_.avail_in = static_cast<uInt>(*n);
      }
      if (between_members_) {
        ::inflateReset(&stream_);  // total_in counts from here
        between_members_ = false;
      }
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) between_members_ = true;
      // What came out before the damage is given first; the stream stays bad and says so again.
      const bool bad = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
      // gzip(1) ignores what follows the last member, padding for instance: here, what has no member's magic.
      ended_ = bad && stream_.total_in <= kMagicBytes;
      if (ended_) return std::size_t{0};
      if (bad && stream_.avail_out == wanted) return damaged(stream_.msg != nullptr ? stream_.msg : "bad data");
      if (bad) break;
    }
    return std::size_t{wanted - stream_.avail_out};
  }

 private:
  Error damaged(const char* why) const { return fail(std::errc::bad_message, path_ + ": damaged gzip: " + why); }

  std::unique_ptr<ByteSource> packed_;
  std::string path_;
  std::vector<std::byte> chunk_;
  z_stream stream_{};
  bool open_ = false;
  bool between_members_ = false;
  bool ended_ = false;  // before the packed file did
};

}  // namespace

bool begins_as_gzip(Bytes head) {
  return head.size() >= kMagicBytes && head[0] == std::byte{0x1f} && head[1] == std::byte{0x8b};
}

Result<std::unique_ptr<ByteSource>> open_gzip(std::unique_ptr<ByteSource> packed, const std::string& path) {
  auto unpacked = std::make_unique<GzipSource>(std::move(packed), path);
  if (Status opened = unpacked->open(); !opened) return std::move(opened).error();
  return std::unique_ptr<ByteSource>(std::move(unpacked));
}

}  // namespace vif::host
