// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/descriptors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>

#include "hypercall/host_error.hpp"

namespace vif::host::packetdrill {

Result<std::unique_ptr<Descriptors>> Descriptors::create() {
  UniqueFd file(::memfd_create("virtif-packetdrill", MFD_CLOEXEC));
  if (!file) return host_error("cannot make a file for the sockets' numbers");
  return std::unique_ptr<Descriptors>(new Descriptors(std::move(file)));
}

Descriptors::~Descriptors() {
  while (!sockets_.empty()) (void)close(sockets_.begin()->first);
}

// Whoever closed the number with close(2) may have another file there by now.
bool Descriptors::still_ours(int fd) const {
  struct stat ours, theirs;
  return ::fstat(file_.get(), &ours) == 0 && ::fstat(fd, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
         ours.st_ino == theirs.st_ino;
}

Answer Descriptors::add(std::unique_ptr<Socket> socket) {
  UniqueFd fd(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
  if (!fd) return -errno;
  const int number = fd.get();
  sockets_.insert_or_assign(number, std::move(socket));
  return fd.release();
}

Socket* Descriptors::find(int fd) const {
  const auto at = sockets_.find(fd);
  return at == sockets_.end() ? nullptr : at->second.get();
}

Answer Descriptors::close(int fd) {
  const auto at = sockets_.find(fd);
  if (at == sockets_.end()) return -EBADF;
  sockets_.erase(at);
  if (still_ours(fd)) ::close(fd);
  return 0;
}

bool Descriptors::port_is_taken(const Socket& by, const Endpoint& at) const {
  if (at.port == 0) return false;
  return std::any_of(sockets_.begin(), sockets_.end(), [&](const auto& entry) {
    const Socket& other = *entry.second;
    if (&other == &by || other.type() != by.type() || other.local().port != at.port || other.peer()) return false;
    const net::inet::IpAddress& theirs = other.local().address;
    const bool overlap = theirs == at.address || theirs.is_unspecified() || at.address.is_unspecified();
    const bool shared = other.settings.reuse_address && by.settings.reuse_address && !other.listening();
    return overlap && !shared;
  });
}

}  // namespace vif::host::packetdrill
