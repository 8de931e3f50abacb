// SPDX-License-Identifier: BSD-2-Clause
// Socket addresses of Linux (sockaddr_in, sockaddr_in6), read and written. Plain functions, any thread.
#pragma once

#include <sys/socket.h>

#include "hypercall/packetdrill/answer.hpp"
#include "netstack/lwip/lwip_tcp.hpp"

namespace vif::host::packetdrill {

// 0, and the endpoint; IPv6's ::ffff:a.b.c.d is an IPv4 address. EFAULT: none. EINVAL: too short. EAFNOSUPPORT: of
// another family than the socket's.
Answer read_address(const sockaddr* from, socklen_t bytes, int family, net::lwip::Endpoint& into);

// As much of it as *bytes has room for; *bytes is how long it is then. A null `into`: nothing. EFAULT: no `bytes`.
Answer write_address(const net::lwip::Endpoint& endpoint, int family, sockaddr* into, socklen_t* bytes);

}  // namespace vif::host::packetdrill
