// SPDX-License-Identifier: BSD-2-Clause
// What a DHCP client does with its lease: takes it, puts its address and routes in place, and takes them away again.
#include <algorithm>

#include "netstack/inet/dhcp_client.hpp"

namespace vif::net::inet {
namespace {

constexpr std::uint32_t kForEver = 0xffff'ffff;  // RFC 2131, 3.3

Time after(Time from, double seconds) {
  return from + std::chrono::duration_cast<Time>(std::chrono::duration<double>(seconds));
}

// The lease lasts from when it was asked for (RFC 2131, 4.4.1). T1 and T2 as the server says, if they are in order,
// else as RFC 2131, 4.4.5 has them.
DhcpLease lease_of(const DhcpReply& ack, Time asked_at) {
  DhcpLease lease{.address = {ack.address, ack.prefix_bits},
                  .server = ack.server,
                  .routes = ack.routes,
                  .dns = ack.dns,
                  .mtu_bytes = ack.mtu_bytes};
  if (ack.lease_s == kForEver) return lease;
  const bool said = ack.renew_s != 0 && ack.renew_s < ack.rebind_s && ack.rebind_s < ack.lease_s;
  lease.renew_at = after(asked_at, said ? ack.renew_s : ack.lease_s * 0.5);
  lease.rebind_at = after(asked_at, said ? ack.rebind_s : ack.lease_s * 0.875);
  lease.until = after(asked_at, ack.lease_s);
  return lease;
}

}  // namespace

void DhcpClient::acknowledged(const DhcpReply& ack) {
  ++data_.acks;
  DhcpLease lease = lease_of(ack, asked_at_);
  server_ = lease.server;
  const bool same = lease_ && lease_->address == lease.address;
  const std::optional<DhcpLease> before = std::exchange(lease_, std::move(lease));
  const std::vector<InterfaceAddress> addresses = inet_.addresses(ifp_);
  const bool usable = std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& entry) {
    return entry.address() == lease_->address.address && entry.usable();
  });
  if (same) set_routes(before->routes);
  if (same && usable) return become_bound();
  state_ = DhcpState::probing;
  due_.cancel();
  if (same) return;
  if (!inet_.add_address(ifp_, lease_->address, Claim::probe, AddressOrigin::dhcp)) {
    lease_.reset();  // the user has that very address, or there is no room: whatever it is, it may pass
    return refused();
  }
  set_routes({});
}

void DhcpClient::become_bound() {
  state_ = DhcpState::bound;
  wanted_ = lease_->address.address;
  failures_ = 0;
  told_ = true;
  if (lease_->renew_at == Time::max()) {
    due_.cancel();
  } else {  // a little sooner, so that many who started together do not stay together (RFC 2131, 4.4.5)
    const Time wait = std::max(lease_->renew_at - now(), Time{});
    due_.schedule(now() + wait - random_below(wait / 16 + Time(1)));
  }
  listener_.lease_changed(ifp_, &*lease_);
}

// Those of the lease instead of those before. One there is no room for is missed by whoever needs it.
void DhcpClient::set_routes(const std::vector<DhcpRoute>& before) {
  for (const DhcpRoute& route : before) {
    const bool stays = std::find(lease_->routes.begin(), lease_->routes.end(), route) != lease_->routes.end();
    if (!stays) (void)inet_.remove_route({.to = route.to, .gateway = route.gateway, .out = &ifp_});
  }
  for (const DhcpRoute& route : lease_->routes) {
    (void)inet_.add_route({.to = route.to, .gateway = route.gateway, .out = &ifp_});
  }
}

void DhcpClient::lose_lease() {
  const std::optional<DhcpLease> over = std::exchange(lease_, std::nullopt);
  if (!over) return;
  for (const DhcpRoute& route : over->routes) {
    (void)inet_.remove_route({.to = route.to, .gateway = route.gateway, .out = &ifp_});
  }
  (void)inet_.remove_address(ifp_, over->address.address);
  if (std::exchange(told_, false)) listener_.lease_changed(ifp_, nullptr);
}

}  // namespace vif::net::inet
