// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/stream/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

struct Address {
  sockaddr_un unix{};
  socklen_t bytes = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&unix); }
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.unix.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.unix.sun_path) {
    return fail(ENAMETOOLONG, path + ": the path of a socket has at most " +
                                  std::to_string(sizeof address.unix.sun_path - 1) + " bytes");
  }
  std::memcpy(address.unix.sun_path, path.data(), path.size());
  const bool abstract = path[0] == '@';
  if (abstract) address.unix.sun_path[0] = '\0';
  // An abstract name ends where its length says, a path behind its zero byte.
  address.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return address;
}

Result<UniqueFd> make_socket(int type) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return host_error("cannot make a Unix socket");
  return fd;
}

std::string name_of(int type) {
  switch (type) {
    case SOCK_STREAM:
      return "SOCK_STREAM";
    case SOCK_SEQPACKET:
      return "SOCK_SEQPACKET";
    case SOCK_DGRAM:
      return "SOCK_DGRAM";
    default:
      return "socket of type " + std::to_string(type);
  }
}

// What may help whoever could not connect.
std::string advice(int number, int type) {
  switch (number) {
    case ENOENT:
    case ECONNREFUSED:
      return "; start the peer first, or add 'reconnect' to wait for it";
    case EACCES:
      return "; this needs write permission for the socket and search permission for its folders: chmod it, or run "
             "both "
             "as the same user";
    case EPROTOTYPE:
      return "; a " + name_of(type) + " was expected there: try another framing=";
    default:
      return "";
  }
}

bool is_socket(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

void SocketFile::remove() {
  struct stat now;
  if (path_.empty() || ::lstat(path_.c_str(), &now) != 0) return;
  if (now.st_dev == device_ && now.st_ino == inode_) ::unlink(path_.c_str());
}

Result<SocketFile> SocketFile::bind(int socket, int type, const std::string& path) {
  Result<Address> address = address_of(path);
  if (!address) return std::move(address).error();
  int bound = ::bind(socket, address->get(), address->bytes);
  if (bound != 0 && errno == EADDRINUSE && path[0] != '@' && is_socket(path)) {
    // Nobody answers at what a process left behind that did not end well.
    Result<UniqueFd> asking = make_socket(type);
    if (!asking) return std::move(asking).error();
    const bool dead = ::connect(asking->get(), address->get(), address->bytes) != 0 && errno == ECONNREFUSED;
    if (dead && ::unlink(path.c_str()) == 0) bound = ::bind(socket, address->get(), address->bytes);
    else errno = EADDRINUSE;
  }
  if (bound != 0) {
    const bool in_use = errno == EADDRINUSE;
    return host_error("cannot bind " + path + (in_use ? " (somebody listens there, or it is no socket)" : ""));
  }
  SocketFile file;
  struct stat status;
  if (path[0] != '@' && ::lstat(path.c_str(), &status) == 0) {
    file.path_ = path;
    file.device_ = status.st_dev;
    file.inode_ = status.st_ino;
  }
  return file;
}

Result<UnixPeer> connect_unix(const std::string& path, int type, const std::string& local) {
  Result<Address> address = address_of(path);
  if (!address) return std::move(address).error();
  Result<UniqueFd> fd = make_socket(type);
  if (!fd) return std::move(fd).error();
  UnixPeer peer{std::move(*fd)};
  if (!local.empty()) {
    Result<SocketFile> file = SocketFile::bind(peer.fd.get(), type, local);
    if (!file) return std::move(file).error();
    peer.local = std::move(*file);
  }
  if (::connect(peer.fd.get(), address->get(), address->bytes) != 0) {
    const int number = errno;
    Error error = host_error("cannot connect to " + path);
    error.text += advice(number, type);
    return error;
  }
  return peer;
}

Result<UnixPeer> adopt_socket(int fd, int type) {
  const std::string name = "descriptor " + std::to_string(fd);
  int found = 0;
  socklen_t bytes = sizeof found;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &bytes) != 0) {
    return host_error(name + " cannot be a link, which takes a connected socket");
  }
  if (found != type) {
    return fail(std::errc::invalid_argument,
                name + " is a " + name_of(found) + ", and this framing= needs a " + name_of(type));
  }
  sockaddr_storage peer;
  socklen_t peer_bytes = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) != 0) {
    return host_error(name + " cannot be a link, which takes a connected socket");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // a child that kept it would keep the peer connected
  return UnixPeer{UniqueFd(fd)};
}

Result<UnixListener> UnixListener::open(const std::string& path, int type) {
  Result<UniqueFd> fd = make_socket(type);
  if (!fd) return std::move(fd).error();
  Result<SocketFile> file = SocketFile::bind(fd->get(), type, path);
  if (!file) return std::move(file).error();
  if (::listen(fd->get(), 1) != 0) return host_error("cannot listen at " + path);
  return UnixListener(std::move(*fd), std::move(*file));
}

Result<UnixPeer> UnixListener::accept() {
  for (;;) {
    UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) return UnixPeer{std::move(fd)};
    if (errno == EINTR || errno == ECONNABORTED) continue;
    return host_error("cannot accept a peer");
  }
}

}  // namespace vif::host
