// SPDX-License-Identifier: BSD-2-Clause
// What a service manager is told (sd_notify(3), systemd): a datagram to the socket in NOTIFY_SOCKET. Without one, or
// when nobody listens, nothing happens.
#pragma once

#include <string_view>

namespace vif::tools {

void tell_service_manager(std::string_view state);  // "READY=1"

}  // namespace vif::tools
