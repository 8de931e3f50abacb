// SPDX-License-Identifier: BSD-2-Clause
// The one loop around write(2), for descriptors that block. Any thread.
#pragma once

#include <unistd.h>

#include <cerrno>

#include "netstack/base/bytes.hpp"

namespace vif::host {

// In as many calls as that takes. False: errno says why not; EIO: it takes nothing, and says no reason.
inline bool write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put == 0) errno = EIO;
    if (put > 0) bytes = bytes.subspan(static_cast<std::size_t>(put));
    else if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace vif::host
