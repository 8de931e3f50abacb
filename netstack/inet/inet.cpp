// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/inet.hpp"

#include <algorithm>

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {
namespace {

Error not_attached(const Ifnet& ifp) { return fail(ENXIO, ifp.name() + " is not attached to this stack"); }

}  // namespace

Inet::Inet(Domain& domain, const InetConfig& config) : stack_(std::make_unique<Stack>(domain, config)) {
  domain.listen(*this);
}

Inet::~Inet() {
  stack_->domain.unlisten(*this);
  stack_->listeners.clear();
  stack_->echo.listeners.clear();
}

Status Inet::attach(Ifnet& ifp) {
  if (&ifp.domain() != &stack_->domain) return fail(std::errc::invalid_argument, ifp.name() + " is another domain's");
  if (ifp.demux() != nullptr) return fail(std::errc::file_exists, ifp.name() + " is attached to a stack already");
  if (stack_->interfaces.size() == kInterfacesMax) {
    return fail(std::errc::no_buffer_space, "all " + std::to_string(kInterfacesMax) + " interfaces are attached");
  }
  if (!ifp.is(IFF_UP)) {
    if (Status up = ifp.ioctl(InitAddress{}); !up) return up;
  }
  stack_->interfaces.push_back(std::make_unique<Interface>(*stack_, ifp));
  Status started = stack_->interfaces.back()->start();
  if (!started) stack_->interfaces.pop_back();
  return started;
}

Status Inet::detach(Ifnet& ifp) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  if (stack_->domain.in_upcall()) {
    return fail(std::errc::resource_deadlock_would_occur,
                ifp.name() + " cannot be detached from inside an upcall: post that to the domain");
  }
  interface->say_goodbye();
  take_off(*interface);
  return {};
}

void Inet::take_off(Interface& interface) {
  interface.addresses.remove_all();  // listeners hear of it while it is still there
  stack_->routes.forget(interface);
  stack_->reassembly.forget(interface);
  std::erase_if(stack_->interfaces, [&](const auto& entry) { return entry.get() == &interface; });
}

void Inet::if_departed(Ifnet& ifp) {
  if (Interface* const interface = stack_->find(&ifp); interface != nullptr) take_off(*interface);
}

void Inet::if_link_changed(Ifnet& ifp) {
  if (Interface* const interface = stack_->find(&ifp)) interface->link_changed();
}

Status Inet::add_address(Ifnet& ifp, const IpPrefix& address, Claim claim, AddressOrigin origin) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  return interface->addresses.add({.prefix = address, .origin = origin}, claim);
}

Status Inet::remove_address(Ifnet& ifp, const IpAddress& address) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  return interface->addresses.remove(address);
}

std::vector<InterfaceAddress> Inet::addresses(const Ifnet& ifp) const {
  const Interface* const interface = stack_->find(&ifp);
  return interface == nullptr ? std::vector<InterfaceAddress>{} : interface->addresses.entries();
}

Result<Route> Inet::resolve(const StaticRoute& route) const {
  Interface* out = stack_->find(route.out);
  if (route.out != nullptr && out == nullptr) return not_attached(*route.out);
  const bool direct = route.gateway.is_unspecified();
  if (out == nullptr && !direct) {
    const Route* const to_gateway = stack_->routes.find(route.gateway, nullptr);
    if (to_gateway != nullptr && to_gateway->is_direct()) out = to_gateway->out;
  }
  if (out == nullptr) {
    return fail(std::errc::network_unreachable,
                "no interface is in the network of " + route.gateway.to_string() + ": name the interface");
  }
  const IpAddress gateway = direct ? any_of(route.to.address) : route.gateway;
  if (gateway.is_v4() != route.to.address.is_v4()) {
    return fail(std::errc::invalid_argument, gateway.to_string() + " cannot be the gateway to " + route.to.to_string() +
                                                 ": it is of the other family");
  }
  return Route{.to = route.to, .gateway = gateway, .out = out};
}

Status Inet::add_route(const StaticRoute& route) {
  Result<Route> resolved = resolve(route);
  if (!resolved) return std::move(resolved).error();
  return stack_->routes.add(*resolved);
}

Status Inet::remove_route(const StaticRoute& route) {
  Result<Route> resolved = resolve(route);
  if (!resolved) return std::move(resolved).error();
  if (!stack_->routes.remove(*resolved)) return fail(ESRCH, "no such route to " + route.to.to_string());
  return {};
}

std::vector<InetRoute> Inet::routes() const {
  std::vector<InetRoute> routes;
  for (const Route& route : stack_->routes.entries()) {
    routes.push_back({route.to, route.gateway, &route.out->ifp, route.origin, route.valid_until});
  }
  return routes;
}

Status Inet::add_neighbour(Ifnet& ifp, const IpAddress& address, const MacAddress& mac) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  return interface->neighbours.add_permanent(address, mac);
}

Status Inet::remove_neighbour(Ifnet& ifp, const IpAddress& address) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  if (!interface->neighbours.remove(address))
    return fail(ESRCH, address.to_string() + " is not known on " + ifp.name());
  return {};
}

std::vector<Neighbour> Inet::neighbours(const Ifnet& ifp) const {
  const Interface* const interface = stack_->find(&ifp);
  return interface == nullptr ? std::vector<Neighbour>{} : interface->neighbours.entries();
}

Status Inet::join(Ifnet& ifp, const IpAddress& group) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  return interface->groups.join(group);
}

Status Inet::leave(Ifnet& ifp, const IpAddress& group) {
  Interface* const interface = stack_->find(&ifp);
  if (interface == nullptr) return not_attached(ifp);
  return interface->groups.leave(group);
}

Result<std::unique_ptr<UdpSocket>> Inet::open_udp(const UdpBind& bind) { return stack_->udp.open(bind); }

Status Inet::ping(const EchoRequest& request) { return stack_->echo.request(request); }
void Inet::listen(EchoListener& listener) { stack_->echo.listeners.push_back(&listener); }
void Inet::unlisten(EchoListener& listener) { std::erase(stack_->echo.listeners, &listener); }
void Inet::listen(InetListener& listener) { stack_->listeners.push_back(&listener); }
void Inet::unlisten(InetListener& listener) { std::erase(stack_->listeners, &listener); }

InetData Inet::read() const {
  InetData data = stack_->counters.read();
  for (const auto& interface : stack_->interfaces) data.packets_held += interface->neighbours.held();
  data.packets_held += stack_->loops();
  data.fragments_waiting = stack_->reassembly.waiting();
  return data;
}

}  // namespace vif::net::inet
