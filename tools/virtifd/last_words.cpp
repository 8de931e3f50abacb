// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/last_words.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace vif::tools {

bool LastWords::say(Bytes words) {
  while (!words.empty()) {
    const ssize_t taken = ::send(socket_, words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) words = words.subspan(static_cast<std::size_t>(taken));
    else if (errno == EAGAIN ? !wait_for_room() : errno != EINTR) return false;
  }
  return true;
}

bool LastWords::wait_for_room() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
  pollfd room{socket_, POLLOUT, 0};
  return ::poll(&room, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 1;
}

}  // namespace vif::tools
