// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/trace_dat_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "hypercall/host_error.hpp"
#include "hypercall/nameless_file.hpp"
#include "hypercall/write_all.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kWaitingBytesMax = 64 * trace::kPageBytes;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Error TraceDatFile::error() const { return host_error(path_); }

Result<TraceDatFile> TraceDatFile::create(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;
  UniqueFd fresh(::open(path.c_str(), kFlags | O_EXCL, 0666));
  const bool is_new = static_cast<bool>(fresh);
  TraceDatFile file(path, is_new ? std::move(fresh) : UniqueFd(::open(path.c_str(), kFlags, 0666)), is_new);
  if (!file.fd_) return file.error();
  return file;
}

void TraceDatFile::drop() const {
  if (is_new_) (void)::unlink(path_.c_str());
}

Status may_create(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {  // whose reader would see its end
    return ::access(path.c_str(), W_OK) == 0 ? Status() : host_error(path);
  }
  Result<TraceDatFile> file = TraceDatFile::create(path);
  if (!file) return std::move(file).error();
  file->drop();
  return {};
}

Result<UniqueFd> TraceDatFile::open_scratch() const {
  Result<UniqueFd> beside = open_nameless_file(folder_of(path_));
  if (beside) return beside;
  // A device in a folder that is not ours.
  const char* const elsewhere = std::getenv("TMPDIR");
  return open_nameless_file(elsewhere != nullptr ? elsewhere : "/tmp");
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
  if (!write_all(ring.scratch.get(), as_bytes(std::string_view(ring.waiting)))) return error();
  ring.waiting.clear();
  return {};
}

// What is in its scratch to the end of the file.
Status TraceDatFile::append(const Ring& ring) {
  std::vector<std::byte> piece(kWaitingBytesMax);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(ring.scratch.get(), piece.data(), piece.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error();
    if (got == 0) return {};
    if (!write_all(fd_.get(), Bytes(piece).first(static_cast<std::size_t>(got)))) return error();
    at += got;
  }
}

Status TraceDatFile::finish(std::span<const trace::RecordedEvent> events, std::span<const trace::ThreadName> threads) {
  std::vector<std::uint64_t> pages;
  for (const Ring& ring : rings_) pages.push_back(ring.pages);
  if (::ftruncate(fd_.get(), 0) != 0 && errno != EINVAL) return error();  // EINVAL: a pipe or device has no length
  if (!write_all(fd_.get(), as_bytes(std::string_view(trace::trace_dat_head(events, threads, pages))))) return error();
  for (Ring& ring : rings_) {
    if (Status flushed = flush(ring); !flushed) return flushed;
    if (Status appended = append(ring); !appended) return appended;
  }
  return ::close(fd_.release()) == 0 ? Status() : error();
}

}  // namespace vif::host
