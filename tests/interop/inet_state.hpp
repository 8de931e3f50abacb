// SPDX-License-Identifier: BSD-2-Clause
// An IP stack's state as JSON, for tests to read: its interfaces with addresses and neighbours, and every counter.
// Domain's thread.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "netstack/inet/dhcp_client.hpp"

namespace vif::test {

// {"interfaces": [...], "inet": {...}}; the counters that are zero are left out of "drops".
nlohmann::json state_of(const net::inet::Inet& inet, std::span<net::Ifnet* const> interfaces);

nlohmann::json state_of(const net::inet::DhcpClient& client);

}  // namespace vif::test
