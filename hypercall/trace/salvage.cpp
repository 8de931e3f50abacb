// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/salvage.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "hypercall/host_error.hpp"
#include "hypercall/trace/mapped_pages.hpp"
#include "hypercall/trace/ring_files.hpp"
#include "hypercall/trace/trace_dat_file.hpp"
#include "services/trace/dead_ring.hpp"
#include "services/trace/trace_dat_reader.hpp"

namespace vif::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytesMax = 64 << 20;
constexpr std::size_t kRingBytesMax = trace::ring_bytes(trace::kRingPagesMax);

// A copy: a file that somebody shortens meanwhile does us no harm.
class FileBytes {
 public:
  explicit FileBytes(MappedPages& pages) : pages_(pages) {}
  ~FileBytes() {
    if (!room_.empty()) pages_.unmap(room_);
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  Status read(const std::string& path, std::size_t bytes_max) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat is {};
    if (!file || ::fstat(file.get(), &is) != 0) return host_error(path);
    const auto bytes = static_cast<std::size_t>(is.st_size);
    if (!S_ISREG(is.st_mode) || bytes == 0 || bytes > bytes_max) return fail(EINVAL, path + ": no part of a recording");
    room_ = pages_.map((bytes + trace::kPageBytes - 1) / trace::kPageBytes * trace::kPageBytes);
    if (room_.empty()) return fail(ENOMEM, path + ": no memory for " + std::to_string(bytes) + " bytes");
    while (bytes_ < bytes) {
      const ssize_t got = ::pread(file.get(), room_.data() + bytes_, bytes - bytes_, static_cast<off_t>(bytes_));
      if (got < 0 && errno != EINTR) return host_error(path);
      if (got == 0) break;
      bytes_ += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    return {};
  }
  MutBytes bytes() const { return room_.first(bytes_); }

 private:
  MappedPages& pages_;
  MutBytes room_;
  std::size_t bytes_ = 0;
};

// Where the last one that is dead left them.
Result<fs::path> folder_of_the_dead(const std::string& folder) {
  const UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return host_error(folder);
  const bool lives = ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
  for (const char* const name : {"now", "before"}) {
    const fs::path found = fs::path(folder) / name;
    const bool is_of_the_living = lives && std::string_view(name) == "now";
    if (!is_of_the_living && holds_a_recording(found)) return found;
  }
  return fail(ENOENT, folder + (lives ? ": who records there lives, and nobody died there before"
                                      : ": nobody who recorded there died"));
}

std::vector<std::string> rings_in(const fs::path& folder) {
  std::vector<std::string> rings;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with("ring-")) rings.push_back(entry.path());
  }
  // In the order they were made: ring-10 comes after ring-9.
  std::ranges::sort(rings, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return rings;
}

// What is whole in this ring, into the file as this CPU. Errors: the file's; of a ring that is none, in `bad`.
Status take_ring(const std::string& path, std::size_t cpu, TraceDatFile& file, SalvagedTrace& into) {
  MappedPages pages;
  FileBytes ring(pages);
  if (Status read = ring.read(path, kRingBytesMax); !read) {
    into.bad.push_back(std::move(read).error());
    return {};
  }
  Status written;
  const Result<trace::DeadRing> taken = trace::take_dead_ring(ring.bytes(), [&](Bytes page) {
    written = file.add(cpu, page);
    return written ? Status() : fail(EIO, "the file's error is told apart");
  });
  if (!written) return written;
  if (!taken) {
    into.bad.push_back(fail(taken.error().number(), path + ": " + taken.error().text));
    return {};
  }
  into.events += taken->records;
  into.lost += taken->lost;
  return {};
}

}  // namespace

Result<SalvagedTrace> salvage(const std::string& folder, const std::string& path) {
  const Result<fs::path> found = folder_of_the_dead(folder);
  if (!found) return found.error();
  MappedPages pages;
  FileBytes head(pages);
  const std::string head_path = *found / "head";
  if (Status read = head.read(head_path, kHeadBytesMax); !read) return std::move(read).error();
  const Result<trace::TraceDatReader> described = trace::TraceDatReader::open(head.bytes());
  if (!described) return fail(described.error().number(), head_path + ": " + described.error().text);
  Result<TraceDatFile> file = TraceDatFile::create(path);
  if (!file) return std::move(file).error();
  SalvagedTrace saved{0, 0, {}};
  const std::vector<std::string> rings = rings_in(*found);
  Status done;
  for (std::size_t ring = 0; done && ring < rings.size(); ++ring) done = take_ring(rings[ring], ring, *file, saved);
  if (done && saved.bad.size() == rings.size() && !rings.empty()) done = saved.bad.front();
  std::vector<trace::RecordedEvent> events;
  for (const auto& [type, event] : described->events()) events.push_back(event);
  std::vector<trace::ThreadName> threads;
  for (const auto& [thread, name] : described->threads()) threads.push_back({thread, name});
  if (done) done = file->finish(events, threads);
  if (done) return saved;
  file->drop();
  return std::move(done).error();
}

}  // namespace vif::host
