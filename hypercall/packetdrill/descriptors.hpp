// SPDX-License-Identifier: BSD-2-Clause
// Numbers for sockets. They are descriptors of this process, too, of an empty file: packetdrill closes what a script
// has left open with close(2), and its own files never get the same number. Whoever holds the machine.
#pragma once

#include <map>
#include <memory>

#include "hypercall/packetdrill/socket.hpp"
#include "hypercall/unique_fd.hpp"

namespace vif::host::packetdrill {

class Descriptors {
 public:
  // What the kernel says when it has no file for it.
  static Result<std::unique_ptr<Descriptors>> create();
  ~Descriptors();

  Answer add(std::unique_ptr<Socket> socket);  // its number. EMFILE
  Socket* find(int fd) const;                  // null: EBADF
  Answer close(int fd);
  // Whether another socket of the type has the port, and does not share it (SO_REUSEADDR, both of them).
  bool port_is_taken(const Socket& by, const Endpoint& at) const;

 private:
  explicit Descriptors(UniqueFd file) : file_(std::move(file)) {}
  bool still_ours(int fd) const;

  UniqueFd file_;
  std::map<int, std::unique_ptr<Socket>> sockets_;
};

}  // namespace vif::host::packetdrill
