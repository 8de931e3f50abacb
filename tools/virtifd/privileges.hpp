// SPDX-License-Identifier: BSD-2-Clause
// What virtifd gives up once its devices are open. While it has one thread: capabilities are each thread's own.
#pragma once

#include <sys/types.h>

#include <string>

#include "netstack/base/result.hpp"

namespace vif::tools {

struct Identity {
  std::string user;
  uid_t uid;
  gid_t gid;
};

// `words`: USER or USER:GROUP; the group is the user's own when none is said. EINVAL: there is no such user or group.
Result<Identity> find_identity(const std::string& words);

enum class Keep : std::uint8_t {
  nothing,
  net_admin,  // CAP_NET_ADMIN and CAP_NET_RAW: what opening TAPs and interfaces takes
};

// Becomes `identity`, with its supplementary groups, and no program it starts can get more (no_new_privs). EPERM: only
// root may. What the host grants afterwards is checked: an error means that nothing may be served.
Status become(const Identity& identity, Keep keep);

}  // namespace vif::tools
