// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/room_network.hpp"

namespace vif::tools {
namespace {

using namespace net::inet;

constexpr const char* kKind = "inside";

// The prefix with which we are `gateway`.
IpPrefix as_neighbour(const IpAddress& gateway, const std::vector<IpPrefix>& addresses) {
  for (const IpPrefix& prefix : addresses) {
    if (prefix.contains(gateway)) return {gateway, prefix.bits};
  }
  return {gateway, static_cast<std::uint8_t>(gateway.bits())};
}

Result<net::Ifnet*> make_linked(net::IfCloneTable& interfaces, const char* kind, const std::string& linkstr) {
  Result<net::Ifnet*> created = interfaces.create(kind);
  if (!created) return created;
  if (Status linked = (*created)->ioctl(net::SetLinkstr{linkstr}); !linked) return linked.error();
  return created;
}

}  // namespace

Result<drv::OpenLink> RoomNetwork::Inside::open(const drv::Linkstr&, const drv::LinkOwner& owner) {
  return host::open_tap_at(std::move(place_), {.name = kInsideName}, owner, network_.loop_->watch(), network_.clock_);
}

Result<std::unique_ptr<RoomNetwork>> RoomNetwork::open(host::TapPlace place, const RoomPlan& plan,
                                                       const std::string& linkstr) {
  std::unique_ptr<RoomNetwork> network(new RoomNetwork(std::move(place)));
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(network->clock_, network->random_, {});
  if (!loop) return loop.error();
  network->loop_ = std::move(*loop);
  network->instance_ = std::make_unique<host::Instance>(host::HostPorts{network->clock_, network->files_});
  net::IfCloneTable& interfaces = network->instance_->attach(*network->loop_);
  auto driver = drv::VirtifModule::init(interfaces, network->inside_, kKind);
  if (!driver) return driver.error();
  network->driver_ = std::move(*driver);
  const Result<net::Ifnet*> eth0 = make_linked(interfaces, kKind, "tap:" + std::string(kInsideName));
  if (!eth0) return eth0.error();
  Status begun =
      linkstr.empty() ? network->begin_stack(**eth0, plan) : network->begin_switch(**eth0, interfaces, linkstr);
  if (!begun) return begun.error();
  return network;
}

RoomNetwork::~RoomNetwork() {
  bridge_.reset();
  inet_.reset();
  instance_.reset();  // before the loop
}

std::optional<Time> RoomNetwork::time_left() {
  const std::optional<Time> deadline = loop_->next_deadline();
  return deadline ? std::optional(*deadline - clock_.now()) : std::nullopt;
}

Status RoomNetwork::begin_stack(net::Ifnet& eth0, const RoomPlan& plan) {
  inet_ = std::make_unique<Inet>(loop_->domain(), InetConfig{.dad = false});
  if (Status attached = inet_->attach(eth0); !attached) return attached;
  for (const IpAddress& gateway : plan.gateways) {
    Status done = inet_->add_address(eth0, as_neighbour(gateway, plan.addresses), Claim::at_once);
    if (!done) return done;
  }
  return {};
}

Status RoomNetwork::begin_switch(net::Ifnet& eth0, net::IfCloneTable& interfaces, const std::string& linkstr) {
  const Result<net::Ifnet*> other = make_linked(interfaces, "virt", linkstr);
  if (!other) return Error{other.error().code, linkstr + ": " + other.error().text};
  bridge_ = std::make_unique<net::Bridge>(loop_->domain(), net::Bridge::Config{.probe_interval = Time(0)});  // no loop
  for (net::Ifnet* const ifp : {&eth0, *other}) {
    if (Status joined = bridge_->add(*ifp); !joined) return joined;
    if (Status up = ifp->ioctl(net::SetFlags{ifp->flags() | net::IFF_UP}); !up) return up;
  }
  return {};
}

}  // namespace vif::tools
