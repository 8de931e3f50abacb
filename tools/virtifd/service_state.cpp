// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/service_state.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>

#include "tools/control/parse_number.hpp"

namespace vif::tools {
namespace {

constexpr int kFirstHanded = 3;  // SD_LISTEN_FDS_START

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void tell_service_manager(std::string_view state) {
  const char* const where = std::getenv("NOTIFY_SOCKET");
  if (where == nullptr) return;
  const std::string_view name(where);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path) return;
  name.copy(address.sun_path, name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';  // an abstract one
  const host::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  (void)::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 bytes);
}

Result<std::vector<HandedSocket>> take_handed_sockets() {
  std::vector<HandedSocket> handed;
  if (parse_number<int>(variable("LISTEN_PID")) != ::getpid()) return handed;  // none, or another process's
  const std::optional<int> count = parse_number(variable("LISTEN_FDS"), 1);
  if (!count) return fail(EINVAL, "LISTEN_FDS is a number of sockets from 1 on");
  std::string_view names = variable("LISTEN_FDNAMES");
  for (int fd = kFirstHanded; fd < kFirstHanded + *count; ++fd) {
    const std::string_view name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return fail(EINVAL, "LISTEN_FDS says " + std::to_string(*count) + " sockets, but descriptor " +
                              std::to_string(fd) + " is not open");
    }
    handed.push_back({std::string(name), host::UniqueFd(fd)});
  }
  return handed;
}

}  // namespace vif::tools
