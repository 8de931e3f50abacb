// SPDX-License-Identifier: BSD-2-Clause
// lwIP's headers, in the one order and dress that works. Not installed, and for netstack/lwip/*.cpp only: what includes
// them must not see the system's netinet/tcp.h, which would give TCP_MSS another value.
#pragma once

// lwipopts.h declares C functions without saying so.
extern "C" {
#include <lwip/opt.h>
}

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/igmp.h>
#include <lwip/init.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

#include "netstack/base/result.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::net::lwip {

static_assert(TCP_MSS == 1460, "a system header came before lwIP's: its structures would not be the library's");

// IPv6 addresses of link scope are those of the default interface.
ip_addr_t to_lwip(const inet::IpAddress& address);
inet::IpAddress from_lwip(const ip_addr_t& address);

// err_t as the errno lwIP itself gives it, with words.
Error lwip_error(err_t error, const char* what);

}  // namespace vif::net::lwip
