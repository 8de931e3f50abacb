// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host/leases.hpp"

#include <algorithm>

namespace vif::host {

using namespace net::inet;

Status Leases::start(net::Ifnet& ifp) {
  if (find(ifp) != nullptr) return fail(EEXIST, ifp.name() + " asks for a lease already");
  DhcpListener& listener = *this;
  auto client = std::make_unique<DhcpClient>(inet_, ifp, listener);
  if (Status started = client->start(); !started) return started;
  clients_[ifp.index()] = std::move(client);
  return {};
}

Status Leases::end(const net::Ifnet& ifp) {
  const auto client = clients_.find(ifp.index());
  if (client == clients_.end()) return fail(ENOENT, ifp.name() + " asks for no lease: `addr add dhcp` was not said");
  client->second->release();
  clients_.erase(client);
  return {};
}

const DhcpClient* Leases::find(const net::Ifnet& ifp) const {
  const auto client = clients_.find(ifp.index());
  return client == clients_.end() ? nullptr : client->second.get();
}

bool Leases::gave(const InetRoute& route) const {
  const DhcpClient* const client = find(*route.out);
  if (client == nullptr || !client->lease()) return false;
  const DhcpRoute wanted{route.to, route.gateway};
  return std::ranges::find(client->lease()->routes, wanted) != client->lease()->routes.end();
}

// A server may say how large packets can be; it knows the network.
void Leases::lease_changed(net::Ifnet& ifp, const DhcpLease* lease) {
  if (lease == nullptr || lease->mtu_bytes == 0 || lease->mtu_bytes == ifp.mtu_bytes()) return;
  (void)ifp.ioctl(net::SetMtu{lease->mtu_bytes});
}

}  // namespace vif::host
