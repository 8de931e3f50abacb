// SPDX-License-Identifier: BSD-2-Clause
// The socket file virtifd is reached by: where it is, who may have it, and who may speak.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::tools {

// /run/virtif.sock for a root who may write there, else $XDG_RUNTIME_DIR/virtif.sock, else /tmp/virtif-UID.sock.
std::string default_socket_path();

// A listening socket at `path`, removed again when this goes, if this made it. A file that a killed virtifd left is
// replaced; who holds PATH.lock is alive.
class ControlSocket {
 public:
  // EADDRINUSE: another virtifd has it. ENAMETOOLONG: the path does not fit a socket's address. EEXIST: something that
  // is no socket is there. Otherwise the host's. With `group` its members may connect, too.
  // `type` SOCK_STREAM, or SOCK_SEQPACKET for process events.
  static Result<ControlSocket> listen(const std::string& path, std::optional<gid_t> group, int type = SOCK_STREAM);
  // The same, made by a service manager, who keeps the file. EINVAL: `fd` is not listening, or no Unix stream socket.
  static Result<ControlSocket> adopt(host::UniqueFd fd);

  ControlSocket(ControlSocket&&) = default;
  ~ControlSocket();

  int fd() const { return fd_.get(); }
  host::UniqueFd take_fd() { return std::move(fd_); }
  const std::string& path() const { return path_; }
  // Lets `owner` have the file, and start the next virtifd there; not one that was adopted. Errors: the host's.
  Status give_to(uid_t owner) const;

 private:
  ControlSocket(std::string path, host::UniqueFd lock, host::UniqueFd fd)
      : path_(std::move(path)), lock_(std::move(lock)), fd_(std::move(fd)) {}

  std::string path_;  // empty: moved from
  host::UniqueFd lock_, fd_;
};

// Who may speak, as a user: the process at the other end, if it is root's, our own user's, or a member's of `group`.
// EACCES: it may not.
Result<uid_t> admit(int fd, std::optional<gid_t> group);

// Whether somebody may connect to `fd`, a stream socket. EINVAL: it is something else.
Status check_listens(int fd);

// Connects to a virtifd. ENOENT, ECONNREFUSED: none is there; the text says how to start one.
Result<host::UniqueFd> connect_to(const std::string& path);

// Where the virtifd that is at `path` tells of process events, when it does.
inline std::string proc_socket_path(const std::string& path) { return path + ".proc"; }

}  // namespace vif::tools
