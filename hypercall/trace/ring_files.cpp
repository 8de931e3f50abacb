// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/ring_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

namespace fs = std::filesystem;

}  // namespace

bool holds_a_recording(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder + "/head", error)) return false;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with("ring-")) return true;
  }
  return false;
}

Result<std::unique_ptr<RingFiles>> RingFiles::open(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return host_error(folder);
  UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return host_error(folder);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(EBUSY, folder + ": another process records there: name another folder");
  }
  const fs::path now = fs::path(folder) / "now", before = fs::path(folder) / "before";
  std::error_code error;
  if (holds_a_recording(now)) {
    (void)fs::remove_all(before, error);
    fs::rename(now, before, error);
  }
  if (!error) (void)fs::remove_all(now, error);
  if (error) return Error{error, folder + ": " + error.message()};
  if (::mkdir(now.c_str(), 0700) != 0) return host_error(now);
  return std::unique_ptr<RingFiles>(new RingFiles(folder, std::move(lock)));
}

RingFiles::~RingFiles() {
  std::error_code ignored;
  if (files_.empty()) (void)fs::remove_all(now_, ignored);
}

Status RingFiles::describe(std::string_view head) {
  const std::string path = now_ + "/head", made = path + ".new";
  std::ofstream file(made, std::ios::binary | std::ios::trunc);
  file << head;
  file.close();
  if (!file || std::rename(made.c_str(), path.c_str()) != 0) return host_error(path);
  return {};
}

MutBytes RingFiles::map(std::size_t bytes) {
  const std::string path = now_ + "/ring-" + std::to_string(next_++);
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  room_ = {};
  if (!file) {
    room_ = host_error(path);
    return {};
  }
  errno = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
  void* const at = errno == 0 ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0) : MAP_FAILED;
  if (at == MAP_FAILED) {
    room_ = host_error(path + ": " + std::to_string(bytes / 1024) + " KiB");
    (void)::unlink(path.c_str());
    return {};
  }
  const MutBytes pages(static_cast<std::byte*>(at), bytes);
  files_.emplace(pages.data(), path);
  return pages;
}

void RingFiles::unmap(MutBytes pages) {
  (void)::munmap(pages.data(), pages.size());
  const auto file = files_.find(pages.data());
  (void)::unlink(file->second.c_str());
  files_.erase(file);
  if (files_.empty()) (void)::unlink((now_ + "/head").c_str());  // it says what was in them
}

}  // namespace vif::host
