// SPDX-License-Identifier: BSD-2-Clause
// The DHCP clients of a node, one an interface that an operator wants one on. On the domain's thread.
#pragma once

#include <map>
#include <memory>

#include "netstack/inet/dhcp_client.hpp"

namespace vif::host {

class Leases final : private net::inet::DhcpListener {
 public:
  explicit Leases(net::inet::Inet& inet) : inet_(inet) {}  // which outlives it

  // Asks for a lease on an interface that the stack is on. EEXIST: it does. Otherwise DhcpClient::start's.
  Status start(net::Ifnet& ifp);
  // Gives the lease back, and takes away what it gave. ENOENT: none is asked for.
  Status end(const net::Ifnet& ifp);
  // The interface goes: without a word to the server.
  void forget(const net::Ifnet& ifp) { clients_.erase(ifp.index()); }

  // Null: none is asked for.
  const net::inet::DhcpClient* find(const net::Ifnet& ifp) const;
  // Whether a lease gave this route, rather than the operator.
  bool gave(const net::inet::InetRoute& route) const;

 private:
  void lease_changed(net::Ifnet& ifp, const net::inet::DhcpLease* lease) override;

  net::inet::Inet& inet_;
  std::map<std::uint32_t, std::unique_ptr<net::inet::DhcpClient>> clients_;  // by interface index
};

}  // namespace vif::host
