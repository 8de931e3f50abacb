// SPDX-License-Identifier: BSD-2-Clause
#include "tools/control/control_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "hypercall/host_error.hpp"

namespace vif::tools {
namespace {

using host::host_error;
using host::UniqueFd;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ENAMETOOLONG, "socket path '" + path + "' has " + std::to_string(path.size()) + " bytes: 1 to " +
                                  std::to_string(sizeof address.sun_path - 1) + " fit");
  }
  path.copy(address.sun_path, path.size());
  return address;
}

// The lock lasts as long as the process: what a killed one left is told from what another one uses.
Result<UniqueFd> lock(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return host_error("cannot make " + name);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(EADDRINUSE, "another virtifd is at " + path + ": give this one another path");
    return host_error("cannot lock " + name);
  }
  return fd;
}

// Whether a socket, or nothing, is there.
Status check_place(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? Status() : host_error("cannot look at " + path);
  return S_ISSOCK(found.st_mode) ? Status() : fail(EEXIST, path + " is there and is no socket: choose another path");
}

Status remove_stale(const std::string& path) {
  if (Status fits = check_place(path); !fits) return fits;
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? Status() : host_error("cannot remove " + path);
}

bool is_member(int fd, const ucred& peer, gid_t group) {
  if (peer.gid == group) return true;
  std::array<gid_t, 1024> groups{};
  socklen_t bytes = sizeof groups;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) return false;
  const auto end = groups.begin() + bytes / sizeof(gid_t);
  return std::find(groups.begin(), end, group) != end;
}

// In /tmp anybody may have been first: there a virtifd is believed when it is root's or our own.
Status check_server(int fd, const std::string& path) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (!path.starts_with("/tmp/") || path != default_socket_path()) return {};
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return host_error("who is there?");
  if (peer.uid == 0 || peer.uid == ::geteuid()) return {};
  return fail(EACCES, "who listens at " + path + " is user " + std::to_string(peer.uid) +
                          ", neither root nor you: start a virtifd of your own with another --socket");
}

}  // namespace

std::string default_socket_path() {
  if (::geteuid() == 0 && ::access("/run", W_OK) == 0) return "/run/virtif.sock";  // root of a namespace may not
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR"); folder != nullptr && *folder == '/') {
    return std::string(folder) + "/virtif.sock";
  }
  return "/tmp/virtif-" + std::to_string(::geteuid()) + ".sock";
}

Result<ControlSocket> ControlSocket::listen(const std::string& path, std::optional<gid_t> group, int type) {
  Result<sockaddr_un> address = address_of(path);
  if (!address) return address.error();
  if (Status fits = check_place(path); !fits) return fits.error();
  Result<UniqueFd> held = lock(path);
  if (!held) return held.error();
  if (Status stale = remove_stale(path); !stale) return stale.error();
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return host_error("cannot make a socket");
  // Nobody else may connect between bind and chmod.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int why = errno;
  ::umask(before);
  if (bound != 0) return errno = why, host_error("cannot listen at " + path);
  ControlSocket made(path, std::move(*held), std::move(fd));
  if (group && (::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0 || ::chmod(path.c_str(), 0660) != 0)) {
    return host_error("cannot give " + path + " to group " + std::to_string(*group));
  }
  if (::listen(made.fd(), SOMAXCONN) != 0) return host_error("cannot listen at " + path);
  return made;
}

Result<ControlSocket> ControlSocket::adopt(UniqueFd fd) {
  if (Status listens = check_listens(fd.get()); !listens) return listens.error();
  sockaddr_un address{};
  socklen_t bytes = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return host_error("what is this?");
  if (address.sun_family != AF_UNIX) {
    return fail(EINVAL, "the socket that was handed over for virtifctl must be a Unix one; name another one `metrics`");
  }
  (void)::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  const std::string path(address.sun_path, strnlen(address.sun_path, sizeof address.sun_path));
  return ControlSocket(path.empty() ? "a socket that was handed over" : path, UniqueFd(), std::move(fd));
}

Status ControlSocket::give_to(uid_t owner) const {
  if (!lock_) return {};
  for (const std::string& name : {path_, path_ + ".lock"}) {
    if (::lchown(name.c_str(), owner, static_cast<gid_t>(-1)) != 0) return host_error("cannot give away " + name);
  }
  return {};
}

ControlSocket::~ControlSocket() {
  if (lock_) ::unlink(path_.c_str());  // the lock file stays: who waits for it holds the same one
}

Result<uid_t> admit(int fd, std::optional<gid_t> group) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return host_error("who is there?");
  if (peer.uid == 0 || peer.uid == ::geteuid() || (group && is_member(fd, peer, *group))) return peer.uid;
  return fail(EACCES, "virtifd serves root, its own user and the group of --allow-group; you are user " +
                          std::to_string(peer.uid));
}

Status check_listens(int fd) {
  int listens = 0, type = 0;
  socklen_t bytes = sizeof listens;
  const bool is_socket = ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) == 0 &&
                         ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0;
  if (is_socket && listens != 0 && type == SOCK_STREAM) return {};
  return fail(EINVAL, "what was handed over as descriptor " + std::to_string(fd) +
                          " is no listening stream socket: in a socket unit, use ListenStream=");
}

Result<UniqueFd> connect_to(const std::string& path) {
  Result<sockaddr_un> address = address_of(path);
  if (!address) return address.error();
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return host_error("cannot make a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0) {
    if (Status ours = check_server(fd.get(), path); !ours) return ours.error();
    return fd;
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return fail(errno, "no virtifd at " + path + ": start one with `virtifd --socket " + path + "`");
  }
  return host_error("cannot reach virtifd at " + path);
}

}  // namespace vif::tools
