// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/room_network.hpp"

namespace vif::tools {
namespace {

using namespace net::inet;

constexpr const char* kScheme = "inside";  // the TAP, whose descriptors came from the room

// The prefix with which we are `gateway`.
IpPrefix as_neighbour(const IpAddress& gateway, const std::vector<IpPrefix>& addresses) {
  for (const IpPrefix& prefix : addresses) {
    if (prefix.contains(gateway)) return {gateway, prefix.bits};
  }
  return {gateway, static_cast<std::uint8_t>(gateway.bits())};
}

}  // namespace

Result<std::unique_ptr<RoomNetwork>> RoomNetwork::open(host::TapPlace place, const RoomPlan& plan,
                                                       const std::string& linkstr) {
  std::unique_ptr<RoomNetwork> network(new RoomNetwork());
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(network->clock_, network->random_, {});
  if (!loop) return loop.error();
  network->loop_ = std::move(*loop);
  network->instance_ = std::make_unique<host::Instance>(host::HostPorts{network->clock_, network->files_});
  const auto shared = std::make_shared<host::TapPlace>(std::move(place));  // as std::function copies
  Status added = network->instance_->schemes().add(
      kScheme, [&net = *network, shared](const drv::Linkstr&, const drv::LinkOwner& owner) {
        return host::open_tap_at(std::move(*shared), {.name = kInsideName}, owner, net.loop_->watch(), net.clock_);
      });
  if (!added) return added.error();
  net::IfCloneTable& interfaces = network->instance_->attach(*network->loop_);
  Status begun = linkstr.empty() ? network->begin_stack(interfaces, plan) : network->begin_switch(interfaces, linkstr);
  if (!begun) return begun.error();
  return network;
}

RoomNetwork::~RoomNetwork() {
  links_.reset();
  inet_.reset();
  instance_.reset();  // before the loop
}

std::optional<Time> RoomNetwork::time_left() {
  const std::optional<Time> deadline = loop_->next_deadline();
  return deadline ? std::optional(*deadline - clock_.now()) : std::nullopt;
}

Status RoomNetwork::begin_stack(net::IfCloneTable& interfaces, const RoomPlan& plan) {
  const Result<net::Ifnet*> created = interfaces.create("virt");
  if (!created) return created.error();
  net::Ifnet& ifp = **created;
  if (Status linked = ifp.ioctl(net::SetLinkstr{std::string(kScheme) + ":"}); !linked) return linked;
  inet_ = std::make_unique<Inet>(loop_->domain(), InetConfig{});
  if (Status attached = inet_->attach(ifp); !attached) return attached;
  for (const IpAddress& gateway : plan.gateways) {
    Status done = inet_->add_address(ifp, as_neighbour(gateway, plan.addresses), Claim::at_once);
    if (!done) return done;
  }
  return {};
}

Status RoomNetwork::begin_switch(net::IfCloneTable& interfaces, const std::string& linkstr) {
  host::BridgeRequest request;
  request.links = {{std::string(kScheme) + ":", {}, {}}, {linkstr, {}, {}}};
  request.config.probe_interval = Time(0);  // there is no way for a loop
  Result<std::unique_ptr<host::BridgedLinks>> links = host::BridgedLinks::open(request, loop_->domain(), interfaces);
  if (!links) return links.error();
  links_ = std::move(*links);
  return {};
}

}  // namespace vif::tools
