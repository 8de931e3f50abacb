// SPDX-License-Identifier: BSD-2-Clause
// Gives a network interface of the calling thread's namespace its addresses and routes, by netdevice(7)'s ioctls.
#pragma once

#include <string>
#include <vector>

#include "netstack/base/result.hpp"
#include "netstack/inet/ip_address.hpp"

namespace vif::tools {

// Brings lo and `name` up, adds the addresses and a default route by each gateway. Errors: the host's, with what it
// refused.
Status configure_host(const std::string& name, const std::vector<net::inet::IpPrefix>& addresses,
                      const std::vector<net::inet::IpAddress>& gateways);

}  // namespace vif::tools
