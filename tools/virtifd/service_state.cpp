// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifd/service_state.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>

#include "hypercall/unique_fd.hpp"

namespace vif::tools {

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

}  // namespace vif::tools
