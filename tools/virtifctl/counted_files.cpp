// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/counted_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>

#include "hypercall/packed/gzip_source.hpp"
#include "hypercall/packed/zstd_source.hpp"

namespace vif::tools {
namespace {

// 0: not known, as of a pipe, or of what is unpacked on the way.
std::uint64_t readable_bytes(const std::string& path) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown) || unknown) return 0;
  std::array<char, 4> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  const Bytes begin = std::as_bytes(std::span(head));
  const bool is_packed = host::begins_as_gzip(begin) || host::begins_as_zstd(begin);
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  return unknown || is_packed ? 0 : bytes;
}

}  // namespace

class CountedFiles::Counted final : public ByteSource {
 public:
  Counted(std::unique_ptr<ByteSource> source, std::uint64_t file_bytes, std::list<Count>& counts)
      : source_(std::move(source)), counts_(counts), count_(counts.insert(counts.end(), {0, file_bytes})) {}
  ~Counted() override { counts_.erase(count_); }

  Result<std::size_t> read(MutBytes into) override {
    Result<std::size_t> n = source_->read(into);
    if (n) count_->read_bytes += *n;
    return n;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::list<Count>& counts_;
  const std::list<Count>::iterator count_;
};

Result<std::unique_ptr<ByteSource>> CountedFiles::open_source(const std::string& path) {
  Result<std::unique_ptr<ByteSource>> source = files_.open_source(path);
  if (!source) return source;
  return std::unique_ptr<ByteSource>(std::make_unique<Counted>(std::move(*source), readable_bytes(path), counts_));
}

std::optional<double> CountedFiles::share_read() const {
  Count all;
  for (const Count& count : counts_) {
    if (count.file_bytes == 0) return std::nullopt;
    all.read_bytes += count.read_bytes;
    all.file_bytes += count.file_bytes;
  }
  if (all.file_bytes == 0) return std::nullopt;
  return std::min(static_cast<double>(all.read_bytes) / static_cast<double>(all.file_bytes), 1.0);  // it may grow
}

}  // namespace vif::tools
