// SPDX-License-Identifier: BSD-2-Clause
// What virtifd and a service manager tell each other (sd_notify(3) and sd_listen_fds(3), systemd). Without one,
// nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::tools {

// A datagram to the socket in NOTIFY_SOCKET; nothing happens when nobody listens.
void tell_service_manager(std::string_view state);  // "READY=1"

struct HandedSocket {
  std::string name;  // "metrics": for --metrics; any other: for virtifctl
  host::UniqueFd fd;
};

// The listening sockets that this process was started with: LISTEN_FDS of them from descriptor 3 on, when LISTEN_PID
// is this process, with the names in LISTEN_FDNAMES. Call once: they are the caller's. EINVAL: the variables make no
// sense.
Result<std::vector<HandedSocket>> take_handed_sockets();

}  // namespace vif::tools
