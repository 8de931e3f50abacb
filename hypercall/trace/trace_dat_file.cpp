// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_dat_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace vif::host {
namespace {

constexpr std::size_t kWaitingBytesMax = 64 * trace::kPageBytes;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR) return false;
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Error TraceDatFile::error() const { return fail(errno, path_ + ": " + std::generic_category().message(errno)); }

Result<TraceDatFile> TraceDatFile::create(const std::string& path) {
  TraceDatFile file(path, UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)));
  if (!file.fd_) return file.error();
  return file;
}

Result<UniqueFd> TraceDatFile::open_scratch() const {
  const std::string folder = folder_of(path_);
  UniqueFd scratch(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (scratch) return scratch;
  // A file system that has no files without a name, or a device in a folder that is not ours.
  const char* const elsewhere = std::getenv("TMPDIR");
  std::string name = (elsewhere != nullptr ? std::string(elsewhere) : "/tmp") + "/virtif-trace-XXXXXX";
  scratch = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!scratch) return error();
  (void)::unlink(name.c_str());
  return scratch;
}

Status TraceDatFile::add(std::size_t ring, Bytes page) {
  while (rings_.size() <= ring) {
    Result<UniqueFd> scratch = open_scratch();
    if (!scratch) return std::move(scratch).error();
    rings_.push_back({*std::move(scratch), {}, 0});
  }
  Ring& into = rings_[ring];
  const std::size_t from = into.waiting.size();
  into.waiting.append(reinterpret_cast<const char*>(page.data()), page.size());
  into.waiting.resize(from + trace::kPageBytes, '\0');
  trace::PageEvents events(as_bytes(std::string_view(into.waiting)).subspan(from));
  for (trace::PageEvent event; events.next(event);) ++events_;
  ++into.pages;
  return into.waiting.size() < kWaitingBytesMax ? Status() : flush(into);
}

Status TraceDatFile::flush(Ring& ring) {
  if (!write_all(ring.scratch.get(), ring.waiting)) return error();
  ring.waiting.clear();
  return {};
}

// What is in its scratch to the end of the file.
Status TraceDatFile::append(const Ring& ring) {
  std::vector<char> piece(kWaitingBytesMax);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(ring.scratch.get(), piece.data(), piece.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error();
    if (got == 0) return {};
    if (!write_all(fd_.get(), {piece.data(), static_cast<std::size_t>(got)})) return error();
    at += got;
  }
}

Status TraceDatFile::finish(std::span<const trace::RecordedEvent> events, std::span<const trace::ThreadName> threads) {
  std::vector<std::uint64_t> pages;
  for (const Ring& ring : rings_) pages.push_back(ring.pages);
  if (!write_all(fd_.get(), trace::trace_dat_head(events, threads, pages))) return error();
  for (Ring& ring : rings_) {
    if (Status flushed = flush(ring); !flushed) return flushed;
    if (Status appended = append(ring); !appended) return appended;
  }
  return ::close(fd_.release()) == 0 ? Status() : error();
}

}  // namespace vif::host
