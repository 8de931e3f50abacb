// SPDX-License-Identifier: BSD-2-Clause
// The socket that --metrics asks for: a TCP port, of this machine only unless more is asked, or a socket file.
#pragma once

#include <optional>
#include <string>

#include "tools/control/control_socket.hpp"

namespace vif::tools {

enum class MetricsReach : std::uint8_t { this_machine, anywhere };

struct MetricsListener {
  host::UniqueFd fd;
  std::string shown;                  // "http://127.0.0.1:9199/metrics", "unix:PATH"
  std::optional<ControlSocket> file;  // holds PATH, and removes it
};

// `where`: ADDRESS:PORT, as in 127.0.0.1:9199 or [::1]:9199, or unix:PATH; port 0: any that is free. EINVAL: it is
// neither, or its address is not a loopback one and only this machine was asked for. Otherwise the host's, and
// ControlSocket::listen's; `group` as there.
Result<MetricsListener> listen_for_metrics(const std::string& where, MetricsReach reach, std::optional<gid_t> group);

// The same, made by a service manager. EINVAL: it is no listening stream socket.
Result<MetricsListener> adopt_for_metrics(host::UniqueFd fd);

}  // namespace vif::tools
