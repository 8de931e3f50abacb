// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/socket.hpp"

namespace vif::host::packetdrill {

Answer Socket::bind(const Endpoint& to) {
  if (bound() || peer_) return -EINVAL;
  if (!machine.is_ours(to.address)) return -EADDRNOTAVAIL;
  local_ = to;
  return 0;
}

}  // namespace vif::host::packetdrill
