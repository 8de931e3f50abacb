// SPDX-License-Identifier: BSD-2-Clause
// Unix sockets (unix(7)) by their paths: connected, listening, adopted. A path that begins with '@' is in the abstract
// namespace, as BESS and socat write it. None of the sockets blocks. Any thread, one at a time each.
#pragma once

#include <sys/types.h>

#include <string>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

// The file that a bound socket has made: goes with this, unless somebody else's has taken its place.
class SocketFile {
 public:
  SocketFile() = default;
  // Binds. What a process left behind that is gone is removed first. EADDRINUSE: somebody listens there, or it is no
  // socket; ENAMETOOLONG: above 107 bytes; else bind's errno.
  static Result<SocketFile> bind(int socket, int type, const std::string& path);
  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile() { remove(); }

 private:
  void remove();

  std::string path_;  // empty: nothing to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A connected socket of `type` (SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM), and the file of its own end if it has one.
struct UnixPeer {
  UniqueFd fd;
  SocketFile local = {};
};

// `local`: also bind that path, for a SOCK_DGRAM that wants answers. Errors: socket's, bind's and connect's, with what
// to do about them.
Result<UnixPeer> connect_unix(const std::string& path, int type, const std::string& local);

// Somebody else's descriptor becomes ours, which its caller promises not to use any more. On an error it stays his:
// EBADF, ENOTSOCK, ENOTCONN, or EINVAL when it is not of `type`.
Result<UnixPeer> adopt_socket(int fd, int type);

class UnixListener {
 public:
  static Result<UnixListener> open(const std::string& path, int type);

  int fd() const { return fd_.get(); }
  // The next peer. EAGAIN: there is none; else accept4's errno.
  Result<UnixPeer> accept();

 private:
  UnixListener(UniqueFd fd, SocketFile file) : fd_(std::move(fd)), file_(std::move(file)) {}

  UniqueFd fd_;
  SocketFile file_;
};

}  // namespace vif::host
