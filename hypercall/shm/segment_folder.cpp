// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/shm/segment_folder.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "hypercall/host_error.hpp"
#include "hypercall/shm/segment_layout.hpp"

namespace vif::host::shm {
namespace {

constexpr const char* kFile = "segment";
constexpr off_t kGateByte = kPlaces;
constexpr int kGateTries = 1000;  // a millisecond apart
constexpr int kEnterTries = 100;
static_assert(sizeof "/dev/shm/virtif./63" + SegmentName::kBytesMax <= sizeof sockaddr_un{}.sun_path);

// A lock of an open file description: dropped when its last descriptor is closed, and so at any death.
struct flock bytes_locked(short type, off_t first, off_t count) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = count;
  return lock;
}

bool try_lock(int fd, off_t byte) {
  struct flock lock = bytes_locked(F_WRLCK, byte, 1);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool locked_by_others(int fd, off_t first, off_t count) {
  struct flock lock = bytes_locked(F_WRLCK, first, count);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void wait_a_little() {
  const timespec millisecond{0, 1'000'000};
  ::nanosleep(&millisecond, nullptr);
}

bool in_our_groups(gid_t group) {
  if (group == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int n = ::getgroups(static_cast<int>(groups.size()), groups.data());
  return n > 0 && std::find(groups.begin(), groups.begin() + n, group) != groups.begin() + n;
}

// Who owns the folder can do as they like with the segment, so it is us, or we have said that we trust the group.
bool is_trusted(const struct stat& folder, mode_t mode) {
  if (folder.st_uid == ::geteuid()) return true;
  return mode == 0660 && in_our_groups(folder.st_gid) && (folder.st_mode & 0007) == 0;
}

mode_t folder_mode(mode_t mode) { return mode == 0660 ? 0770 : 0700; }

std::string folder_path(const SegmentName& name) { return "/dev/shm/virtif." + name.name; }

}  // namespace

Result<UniqueFd> SegmentFolder::open_folder(const std::string& path, const SegmentName& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd folder(::open(path.c_str(), kFlags));
  if (!folder && errno == ENOENT) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return host_error("cannot make " + path);
    folder = UniqueFd(::open(path.c_str(), kFlags));
  }
  struct stat status {};
  if (!folder || ::fstat(folder.get(), &status) != 0) return host_error("cannot open " + path);
  if (is_trusted(status, name.mode)) return folder;
  return fail(std::errc::operation_not_permitted,
              path + " belongs to user " + std::to_string(status.st_uid) +
                  ": expected our own; to share it with a group, every attacher says mode=0660");
}

Result<SegmentFolder> SegmentFolder::enter(const SegmentName& name) {
  const std::string path = folder_path(name);
  for (int tries = 0; tries < kEnterTries; ++tries) {
    Result<UniqueFd> folder = open_folder(path, name);
    if (!folder && folder.error().number() != ENOENT) return std::move(folder).error();
    if (!folder) continue;  // the last one left just now and took it away
    UniqueFd file(::openat(folder->get(), kFile, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, name.mode));
    if (!file && errno == ENOENT) continue;
    if (!file) return host_error("cannot open " + path + "/" + kFile);
    SegmentFolder entered(path, std::move(*folder), std::move(file));
    if (Status closed = entered.close_gate(); !closed) return std::move(closed).error();
    struct stat status {};
    if (::fstat(entered.file_.get(), &status) == 0 && status.st_nlink > 0) return entered;
  }
  return fail(std::errc::device_or_resource_busy, path + " comes and goes all the time: try again");
}

Result<SegmentFolder> SegmentFolder::look(const SegmentName& name) {
  const std::string path = folder_path(name);
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return host_error("no segment in " + path);
  UniqueFd file(::openat(folder.get(), kFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return host_error("no segment in " + path);
  return SegmentFolder(path, std::move(folder), std::move(file));
}

std::optional<MemoryRecord> SegmentFolder::read_record() const {
  MemoryRecord record;
  if (::pread(file_.get(), &record, sizeof record, 0) != sizeof record) return std::nullopt;
  if (record.magic != MemoryRecord::kMagic) return std::nullopt;
  return record;
}

Status SegmentFolder::write_record(const MemoryRecord& record) {
  const ssize_t written = ::pwrite(file_.get(), &record, sizeof record, 0);
  if (written == sizeof record) return {};
  if (written >= 0) errno = ENOSPC;
  return host_error("cannot write " + path_ + "/" + kFile);
}

Result<std::size_t> SegmentFolder::take_place() {
  for (std::size_t place = 0; place < kPlaces; ++place) {
    if (try_lock(file_.get(), static_cast<off_t>(place))) return place;
    if (errno != EAGAIN && errno != EACCES) return host_error("cannot lock " + path_ + "/" + kFile);
  }
  return fail(EUSERS, path_ + " has " + std::to_string(kPlaces) + " attachers, and no place for more");
}

bool SegmentFolder::is_taken(std::size_t place) const {
  return locked_by_others(file_.get(), static_cast<off_t>(place), 1);
}

bool SegmentFolder::is_empty() const { return !locked_by_others(file_.get(), 0, kPlaces); }

// For every wake-up, so without allocating.
sockaddr_un SegmentFolder::socket_address(std::size_t place) const {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  char* to = address.sun_path + path_.copy(address.sun_path, path_.size());
  *to++ = '/';
  std::to_chars(to, std::end(address.sun_path) - 1, place);
  return address;
}

Result<UniqueFd> SegmentFolder::bind_socket(std::size_t place) {
  const sockaddr_un address = socket_address(place);
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return host_error("cannot make a socket to be woken by");
  ::unlink(address.sun_path);
  struct stat folder {};
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::fstat(folder_.get(), &folder) != 0 || ::chmod(address.sun_path, folder.st_mode & 0660) != 0) {
    return host_error(std::string("cannot bind the socket ") + address.sun_path);
  }
  return socket;
}

void SegmentFolder::set_mode(mode_t mode) {
  if (::fchmod(folder_.get(), folder_mode(mode)) != 0) return;
  [[maybe_unused]] const int as_before = ::fchmod(file_.get(), mode);
}

Status SegmentFolder::close_gate() {
  for (int tries = 0; tries < kGateTries; ++tries) {
    if (try_lock(file_.get(), kGateByte)) return {};
    if (errno != EAGAIN && errno != EACCES) return host_error("cannot lock " + path_ + "/" + kFile);
    wait_a_little();
  }
  return fail(std::errc::device_or_resource_busy, "another process has been at the gate of " + path_ +
                                                      " for a second: see who holds " + kFile +
                                                      " there (lslocks), and try again");
}

void SegmentFolder::open_gate() {
  struct flock lock = bytes_locked(F_UNLCK, kGateByte, 1);
  ::fcntl(file_.get(), F_OFD_SETLK, &lock);
}

void SegmentFolder::leave(std::size_t place) { ::unlink(socket_address(place).sun_path); }

// Who waits at the gate meanwhile sees that the file has no name any more, and begins again.
void SegmentFolder::remove() {
  for (std::size_t place = 0; place < kPlaces; ++place) ::unlink(socket_address(place).sun_path);
  ::unlinkat(folder_.get(), kFile, 0);
  ::rmdir(path_.c_str());
}

}  // namespace vif::host::shm
