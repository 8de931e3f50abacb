// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/capture_target.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>

#include "hypercall/linux_ports.hpp"

namespace vif::tools {
namespace {

template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

class CountingSink final : public ByteSink {
 public:
  CountingSink(std::unique_ptr<ByteSink> to, std::uint64_t& appends) : to_(std::move(to)), appends_(appends) {}

  Status append(Bytes bytes) override {
    Status appended = to_->append(bytes);
    if (appended) ++appends_;
    return appended;
  }

 private:
  std::unique_ptr<ByteSink> to_;
  std::uint64_t& appends_;
};

// Of the unit letter; 0: there is no such.
std::uint64_t factor_of(std::string_view unit) {
  if (unit.empty()) return 1;
  if (unit == "k" || unit == "K") return 1'000;
  if (unit == "M") return 1'000'000;
  return unit == "G" ? 1'000'000'000 : 0;
}

}  // namespace

Result<CaptureRing> CaptureRing::parse(std::string_view text) {
  constexpr std::uint32_t kFilesMax = 100'000;
  constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 50;
  CaptureRing ring;
  std::string_view rest = text;
  bool fine = take_number(rest, ring.files) && ring.files >= 1 && ring.files <= kFilesMax && rest.starts_with('x');
  if (fine) rest.remove_prefix(1);
  fine = fine && take_number(rest, ring.file_bytes) && ring.file_bytes >= 1 && ring.file_bytes <= kBytesMax;
  ring.file_bytes *= fine ? factor_of(rest) : 0;
  if (ring.file_bytes >= 1 && ring.file_bytes <= kBytesMax) return ring;
  return fail(EINVAL,
              fmt::format("--ring '{}': expected FILESxSIZE, as in 10x100M: keep the last 10 files of 100 million "
                          "bytes each (k, M, G)",
                          text));
}

Result<std::unique_ptr<CaptureTarget>> CaptureTarget::create(const std::string& path,
                                                             const std::optional<CaptureRing>& ring,
                                                             std::vector<Interface> interfaces, FilesPort& files) {
  std::unique_ptr<CaptureTarget> target(new CaptureTarget(path, ring, std::move(interfaces), files));
  if (Status begun = target->begin(); !begun) return std::move(begun).error();
  return target;
}

// PATH_00001_20260101120000.pcapng: editcap, mergecap and people know such names from dumpcap.
std::string CaptureTarget::name_of(std::uint32_t number) const {
  const std::filesystem::path path(base_);
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 16> time{};
  std::strftime(time.data(), time.size(), "%Y%m%d%H%M%S", &local);
  const std::string stem = (path.parent_path() / path.stem()).string();
  return fmt::format("{}_{:05}_{}{}", stem, number, time.data(), path.extension().string());
}

Status CaptureTarget::begin() {
  path_ = ring_ ? name_of(++number_) : base_;
  if (base_ == "-") {
    sink_ = host::sink_over(host::UniqueFd(::dup(STDOUT_FILENO)), "to standard output");
  } else {
    Result<std::unique_ptr<ByteSink>> sink = files_.create_sink(path_);
    if (!sink) return std::move(sink).error();
    sink_ = std::move(*sink);
  }
  sink_ = std::make_unique<CountingSink>(std::move(sink_), appends_);
  writer_.emplace(*sink_, base_.ends_with(".pcap") ? net::CaptureFormat::pcap : net::CaptureFormat::pcapng);
  for (const Interface& interface : interfaces_) {
    const auto added = writer_->add_interface({.name = interface.name,
                                               .snap_bytes = interface.snap_bytes,
                                               .comment = interface.comment,
                                               .filter = interface.filter,
                                               .address = interface.address});
    if (!added) return added.error();
  }
  if (ring_) kept_.push_back(path_);
  return writer_->flush();
}

Status CaptureTarget::write(const net::CaptureFrame& frame, const net::CaptureMarks& marks) {
  return writer_->write(frame, marks);
}

Status CaptureTarget::end(std::span<const net::CaptureStatistics> statistics) {
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (Status written = writer_->write(static_cast<std::uint32_t>(i), statistics[i]); !written) return written;
  }
  return writer_->flush();
}

Status CaptureTarget::next_file(std::span<const net::CaptureStatistics> statistics) {
  if (Status ended = end(statistics); !ended) return ended;
  if (kept_.size() == ring_->files) {
    std::error_code failed;
    std::filesystem::remove(kept_.front(), failed);
    if (failed) return Error{failed, "cannot remove " + kept_.front() + ", the oldest: " + failed.message()};
    kept_.pop_front();
  }
  return begin();
}

}  // namespace vif::tools
