// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/linux_ports.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "hypercall/host_error.hpp"
#include "hypercall/packed/packed_source.hpp"

namespace vif::host {
namespace {

std::int64_t read_clock_ns(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);  // cannot fail for the two clocks used here
  return at.tv_sec * 1'000'000'000 + at.tv_nsec;
}

class FileSource final : public ByteSource {
 public:
  FileSource(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  void wait_in(std::shared_ptr<const UniqueFd> epoll) { epoll_ = std::move(epoll); }

  Result<std::size_t> read(MutBytes into) override {
    for (;;) {
      if (!ready()) return fail(EAGAIN, "reading " + path_ + ": nothing is there yet");
      const ssize_t n = ::read(fd_.get(), into.data(), into.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) return host_error("reading " + path_);
    }
  }

 private:
  // Each answer that there is nothing is worth one wake-up.
  bool ready() {
    if (!epoll_ || !*epoll_) return true;
    pollfd readable{fd_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 0) != 0) return true;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    const int operation = std::exchange(watched_, true) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    return ::epoll_ctl(epoll_->get(), operation, fd_.get(), &event) != 0;  // what cannot be watched is waited for
  }

  UniqueFd fd_;
  std::string path_;
  std::shared_ptr<const UniqueFd> epoll_;  // null: nothing here keeps one waiting; empty: and one waits
  bool watched_ = false;
};

class FileSink final : public ByteSink {
 public:
  FileSink(UniqueFd fd, std::string path, off_t bytes_kept = 0)
      : fd_(std::move(fd)), path_(std::move(path)), bytes_kept_(bytes_kept) {}

  Status append(Bytes bytes) override {
    for (Bytes left = bytes; !left.empty();) {
      const ssize_t n = ::write(fd_.get(), left.data(), left.size());
      if (n > 0) {
        left = left.subspan(static_cast<std::size_t>(n));
      } else if (n == 0 || errno != EINTR) {
        const Error error = n == 0 ? fail(std::errc::io_error, "writing " + path_ + ": the device takes nothing")
                                   : host_error("writing " + path_);
        take_back();
        return error;
      }
    }
    bytes_kept_ += static_cast<off_t>(bytes.size());
    return {};
  }

 private:
  // Best effort: what is no regular file keeps the piece.
  void take_back() {
    if (::ftruncate(fd_.get(), bytes_kept_) == 0) ::lseek(fd_.get(), bytes_kept_, SEEK_SET);
  }

  UniqueFd fd_;
  std::string path_;
  off_t bytes_kept_;
};

}  // namespace

Time LinuxClock::now() { return Time(read_clock_ns(CLOCK_MONOTONIC)); }
std::int64_t LinuxClock::wall_ns() { return read_clock_ns(CLOCK_REALTIME); }

std::uint64_t LinuxRandom::next() {
  std::uint64_t number = 0;
  // Eight bytes come whole or not at all, and only a signal before the pool is seeded stops them (getrandom(2)).
  while (::getrandom(&number, sizeof number, 0) != sizeof number) {
  }
  return number;
}

void LinuxFiles::heard() {
  std::array<epoll_event, 16> events;
  while (::epoll_wait(waited_for_->get(), events.data(), events.size(), 0) == static_cast<int>(events.size())) {
  }
}

Result<std::unique_ptr<ByteSource>> LinuxFiles::open_source(const std::string& path) {
  const int no_wait = *waited_for_ ? O_NONBLOCK : 0;  // for a FIFO's writer
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | no_wait));
  if (!fd && errno == ENXIO && path == "/dev/stdin")
    fd = UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));  // a socket
  if (!fd) return host_error("cannot open " + path);
  if (no_wait != 0) ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return host_error("cannot read " + path);
  }
  auto source = std::make_unique<FileSource>(std::move(fd), path);
  if (!S_ISREG(status.st_mode)) source->wait_in(waited_for_);
  return unpack_if_packed(std::move(source), path);
}

Result<int> LinuxFiles::do_not_wait() {
  if (!*waited_for_) *waited_for_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!*waited_for_) return host_error("cannot watch what is read");
  return waited_for_->get();
}

Result<std::unique_ptr<ByteSink>> LinuxFiles::create_sink(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return host_error("cannot create " + path);
  return std::unique_ptr<ByteSink>(std::make_unique<FileSink>(std::move(fd), path));
}

std::unique_ptr<ByteSink> sink_over(UniqueFd fd, std::string name) {
  const off_t end = std::max<off_t>(::lseek(fd.get(), 0, SEEK_END), 0);  // a pipe has none
  return std::make_unique<FileSink>(std::move(fd), std::move(name), end);
}

bool LinuxFiles::same_file(const std::string& one, const std::string& other) {
  struct stat a = {}, b = {};
  if (::stat(one.c_str(), &a) != 0 || ::stat(other.c_str(), &b) != 0) return false;
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace vif::host
