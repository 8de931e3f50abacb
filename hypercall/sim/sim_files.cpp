// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/sim/sim_files.hpp"

#include <algorithm>

namespace vif::host::sim {
namespace {

Error scripted(int number, const std::string& what) {
  return fail(number, what + ": " + std::error_code(number, std::generic_category()).message());
}

class SimSource final : public ByteSource {
 public:
  SimSource(SimFile& file, std::string path) : file_(file), path_(std::move(path)) {}

  Result<std::size_t> read(MutBytes into) override {
    if (file_.on_read) file_.on_read(file_);
    if (at_ >= file_.read_fails_at) return scripted(file_.read_errno, "reading " + path_);
    const std::size_t end = std::max(at_, std::min(file_.bytes.size(), file_.read_fails_at));
    const std::size_t n = std::min({into.size(), end - at_, file_.read_bytes_max});
    std::copy_n(file_.bytes.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    return n;
  }

 private:
  SimFile& file_;
  std::string path_;
  std::size_t at_ = 0;
};

class SimSink final : public ByteSink {
 public:
  SimSink(SimFile& file, std::string path) : file_(file), path_(std::move(path)) {}

  Status append(Bytes bytes) override {
    if (file_.bytes.size() + bytes.size() > file_.capacity_bytes) {
      return scripted(file_.append_errno, "writing " + path_);
    }
    file_.bytes.insert(file_.bytes.end(), bytes.begin(), bytes.end());
    return {};
  }

 private:
  SimFile& file_;
  std::string path_;
};

}  // namespace

SimFile& SimFiles::file(const std::string& path) { return files_[path]; }

Result<std::unique_ptr<ByteSource>> SimFiles::open_source(const std::string& path) {
  const auto at = files_.find(path);
  const int error = at == files_.end() ? ENOENT : at->second.open_errno;
  if (error != 0) return scripted(error, "cannot open " + path);
  return std::unique_ptr<ByteSource>(std::make_unique<SimSource>(at->second, path));
}

Result<std::unique_ptr<ByteSink>> SimFiles::create_sink(const std::string& path) {
  SimFile& made = file(path);
  if (made.open_errno != 0) return scripted(made.open_errno, "cannot create " + path);
  made.bytes.clear();
  return std::unique_ptr<ByteSink>(std::make_unique<SimSink>(made, path));
}

bool SimFiles::same_file(const std::string& one, const std::string& other) {
  return one == other && files_.contains(one);
}

}  // namespace vif::host::sim
