// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/host_faults.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <span>
#include <vector>

namespace vif::test {
namespace {

// By the name in our sources, which large file offsets turn into another one.
std::string name_of(const char* call) {
  std::string name = call;
  if (name.ends_with("64")) name.resize(name.size() - 2);
  return name;
}

std::atomic<HostFaults*> current{nullptr};

}  // namespace

HostFaults::HostFaults() {
  [[maybe_unused]] HostFaults* const before = current.exchange(this);
  assert(before == nullptr);
}
HostFaults::~HostFaults() { current = nullptr; }

void HostFaults::fail(const std::string& call, int number, int times, int after) {
  const std::lock_guard lock(mutex_);
  Script& script = scripts_[call];
  script.number = number;
  script.times = times;
  script.after = after;
}

void HostFaults::shorten(const std::string& call, std::size_t bytes, int times) {
  const std::lock_guard lock(mutex_);
  scripts_[call].bytes = bytes;
  scripts_[call].short_times = times;
}

void HostFaults::heal(const std::string& call) {
  const std::lock_guard lock(mutex_);
  Script& script = scripts_[call];
  script.times = script.short_times = 0;
}

int HostFaults::calls(const std::string& call) const {
  const std::lock_guard lock(mutex_);
  const auto at = scripts_.find(call);
  return at == scripts_.end() ? 0 : at->second.calls;
}

int HostFaults::due(const char* call) {
  HostFaults* const faults = current;
  if (faults == nullptr) return 0;
  const std::lock_guard lock(faults->mutex_);
  Script& script = faults->scripts_[name_of(call)];
  ++script.calls;
  if (script.times == 0) return 0;
  if (script.after > 0) return --script.after, 0;
  if (script.times != kAlways) --script.times;
  return script.number;
}

std::size_t HostFaults::at_most(const char* call, std::size_t bytes) {
  HostFaults* const faults = current;
  if (faults == nullptr) return bytes;
  const std::lock_guard lock(faults->mutex_);
  Script& script = faults->scripts_[name_of(call)];
  if (script.short_times == 0) return bytes;
  if (script.short_times != kAlways) --script.short_times;
  return std::min(bytes, script.bytes);
}

}  // namespace vif::test

// One line a call; every name here stands in the list of tests/support/meson.build, too.
#define VIF_WRAP(result, call, parameters, arguments, failed)                \
  result __real_##call parameters;                                           \
  result __wrap_##call parameters {                                          \
    if (const int number = vif::test::HostFaults::due(#call)) return failed; \
    return __real_##call arguments;                                          \
  }
#define VIF_WRAP_ERRNO(result, call, parameters, arguments) \
  VIF_WRAP(result, call, parameters, arguments, (errno = number, (result)(-1)))
#define VIF_WRAP_NEGATIVE(call, parameters, arguments) VIF_WRAP(int, call, parameters, arguments, -number)
// With a length that can be cut.
#define VIF_WRAP_BYTES(result, call, parameters, arguments)                                      \
  result __real_##call parameters;                                                               \
  result __wrap_##call parameters {                                                              \
    if (const int number = vif::test::HostFaults::due(#call)) return errno = number, result(-1); \
    bytes = vif::test::HostFaults::at_most(#call, bytes);                                        \
    return __real_##call arguments;                                                              \
  }

extern "C" {
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  if (const int number = vif::test::HostFaults::due("sendmsg")) return errno = number, -1;
  std::vector<iovec> pieces(message->msg_iov, message->msg_iov + message->msg_iovlen);
  std::size_t left = vif::test::HostFaults::at_most("sendmsg", SIZE_MAX);
  for (iovec& piece : pieces) left -= piece.iov_len = std::min(piece.iov_len, left);
  msghdr cut = *message;
  cut.msg_iov = pieces.data();
  return __real_sendmsg(fd, &cut, flags);
}
VIF_WRAP_BYTES(ssize_t, read, (int fd, void* to, std::size_t bytes), (fd, to, bytes))
VIF_WRAP_BYTES(ssize_t, write, (int fd, const void* from, std::size_t bytes), (fd, from, bytes))
VIF_WRAP_BYTES(ssize_t, recv, (int fd, void* to, std::size_t bytes, int flags), (fd, to, bytes, flags))
VIF_WRAP_BYTES(ssize_t, send, (int fd, const void* from, std::size_t bytes, int flags), (fd, from, bytes, flags))
VIF_WRAP_ERRNO(ssize_t, readv, (int fd, const iovec* iov, int count), (fd, iov, count))
VIF_WRAP_ERRNO(ssize_t, preadv64v2, (int fd, const iovec* iov, int count, off_t at, int flags),
               (fd, iov, count, at, flags))
ssize_t __real_writev(int fd, const iovec* iov, int count);
ssize_t __wrap_writev(int fd, const iovec* iov, int count) {
  if (const int number = vif::test::HostFaults::due("writev")) return errno = number, ssize_t(-1);
  const std::size_t bytes = vif::test::HostFaults::at_most("writev", SIZE_MAX);
  if (bytes == SIZE_MAX) return __real_writev(fd, iov, count);
  std::string some;  // the front of what was to go
  for (const iovec& piece : std::span(iov, static_cast<std::size_t>(count))) {
    some.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return __real_write(fd, some.data(), std::min(bytes, some.size()));
}
VIF_WRAP_ERRNO(ssize_t, recvmsg, (int fd, msghdr* message, int flags), (fd, message, flags))
VIF_WRAP_ERRNO(ssize_t, sendto,
               (int fd, const void* from, std::size_t bytes, int flags, const sockaddr* to, socklen_t to_bytes),
               (fd, from, bytes, flags, to, to_bytes))
VIF_WRAP_ERRNO(int, recvmmsg, (int fd, mmsghdr* messages, unsigned n, int flags, timespec* timeout),
               (fd, messages, n, flags, timeout))
VIF_WRAP_ERRNO(int, sendmmsg, (int fd, mmsghdr* messages, unsigned n, int flags), (fd, messages, n, flags))
VIF_WRAP_ERRNO(int, open64, (const char* path, int flags, unsigned mode), (path, flags, mode))
VIF_WRAP_ERRNO(int, openat64, (int folder, const char* path, int flags, unsigned mode), (folder, path, flags, mode))
VIF_WRAP_ERRNO(int, mkdir, (const char* path, mode_t mode), (path, mode))
VIF_WRAP_ERRNO(int, fcntl64, (int fd, int what, void* argument), (fd, what, argument))
VIF_WRAP_ERRNO(int, fdatasync, (int fd), (fd))
VIF_WRAP_ERRNO(int, fsync, (int fd), (fd))
VIF_WRAP_ERRNO(int, rename, (const char* from, const char* to), (from, to))
VIF_WRAP_ERRNO(ssize_t, pread64, (int fd, void* into, std::size_t bytes, off_t at), (fd, into, bytes, at))
VIF_WRAP_ERRNO(ssize_t, pwrite64, (int fd, const void* from, std::size_t bytes, off_t at), (fd, from, bytes, at))
VIF_WRAP_ERRNO(int, socket, (int family, int type, int protocol), (family, type, protocol))
VIF_WRAP_ERRNO(int, bind, (int fd, const sockaddr* address, socklen_t bytes), (fd, address, bytes))
VIF_WRAP_ERRNO(int, connect, (int fd, const sockaddr* address, socklen_t bytes), (fd, address, bytes))
VIF_WRAP_ERRNO(int, listen, (int fd, int backlog), (fd, backlog))
VIF_WRAP_ERRNO(int, accept4, (int fd, sockaddr* address, socklen_t* bytes, int flags), (fd, address, bytes, flags))
VIF_WRAP_ERRNO(int, getsockopt, (int fd, int level, int name, void* value, socklen_t* bytes),
               (fd, level, name, value, bytes))
VIF_WRAP_ERRNO(int, setsockopt, (int fd, int level, int name, const void* value, socklen_t bytes),
               (fd, level, name, value, bytes))
VIF_WRAP_ERRNO(int, ioctl, (int fd, unsigned long request, void* argument), (fd, request, argument))
VIF_WRAP_ERRNO(void*, mmap64, (void* at, std::size_t bytes, int protection, int flags, int fd, off_t offset),
               (at, bytes, protection, flags, fd, offset))
VIF_WRAP_ERRNO(int, ftruncate64, (int fd, off_t bytes), (fd, bytes))
VIF_WRAP_ERRNO(int, fstat64, (int fd, struct stat* status), (fd, status))
VIF_WRAP_ERRNO(int, shm_open, (const char* name, int flags, mode_t mode), (name, flags, mode))
VIF_WRAP_ERRNO(int, shmget, (key_t key, std::size_t bytes, int flags), (key, bytes, flags))
VIF_WRAP_ERRNO(void*, shmat, (int id, const void* at, int flags), (id, at, flags))
VIF_WRAP_ERRNO(int, eventfd, (unsigned count, int flags), (count, flags))
VIF_WRAP_ERRNO(int, epoll_create1, (int flags), (flags))
VIF_WRAP_ERRNO(int, epoll_ctl, (int epoll, int what, int fd, epoll_event* event), (epoll, what, fd, event))
VIF_WRAP_ERRNO(int, epoll_wait, (int epoll, epoll_event* events, int n, int timeout_ms), (epoll, events, n, timeout_ms))
VIF_WRAP_NEGATIVE(io_uring_queue_init_params, (unsigned entries, io_uring* ring, io_uring_params* params),
                  (entries, ring, params))
VIF_WRAP_NEGATIVE(io_uring_submit, (io_uring * ring), (ring))
VIF_WRAP_NEGATIVE(io_uring_submit_and_wait, (io_uring * ring, unsigned n), (ring, n))
VIF_WRAP_NEGATIVE(io_uring_get_events, (io_uring * ring), (ring))
VIF_WRAP_NEGATIVE(io_uring_register_files, (io_uring * ring, const int* files, unsigned n), (ring, files, n))
VIF_WRAP_NEGATIVE(io_uring_register_buffers_sparse, (io_uring * ring, unsigned n), (ring, n))
VIF_WRAP_NEGATIVE(io_uring_register_buffers_update_tag,
                  (io_uring * ring, unsigned at, const iovec* buffers, const __u64* tags, unsigned n),
                  (ring, at, buffers, tags, n))
}
