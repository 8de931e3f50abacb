// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_network.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "netstack/inet/dhcp_client.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kBudgetFrames = 64;
constexpr Time kDhcpPatience = std::chrono::seconds(60);

// Waits for the first lease.
struct Lease final : net::inet::DhcpListener {
  void lease_changed(net::Ifnet&, const net::inet::DhcpLease* lease) override {
    if (lease == nullptr) return;
    place.address = lease->address;
    const auto by_default = std::find_if(lease->routes.begin(), lease->routes.end(),
                                         [](const net::inet::DhcpRoute& route) { return route.to.bits == 0; });
    if (by_default != lease->routes.end() && by_default->gateway.is_unicast()) place.gateway = by_default->gateway;
    done = has_one = true;
  }
  FwuNetwork::Place place;
  bool done = false, has_one = false;
};

}  // namespace

Result<std::unique_ptr<FwuNetwork>> FwuNetwork::open(const std::string& linkstr, TraceRecorder* recorder) {
  std::unique_ptr<FwuNetwork> network(new FwuNetwork);
  Result<host::SignalFd> signals = host::SignalFd::open({SIGINT, SIGTERM});
  if (!signals) return std::move(signals).error();
  network->signals_.emplace(*std::move(signals));
  auto loop = host::Loop::create(network->clock_, network->random_, {});
  if (!loop) return std::move(loop).error();
  network->loop_ = *std::move(loop);
  auto recorded = record_domain(recorder, network->domain());
  if (!recorded) return std::move(recorded).error();
  network->recorded_ = *std::move(recorded);
  network->instance_.emplace(host::HostPorts{network->clock_, network->files_});
  const Result<net::Ifnet*> made = network->instance_->attach(*network->loop_).create("virt0");
  if (!made) return made.error();
  network->ifp_ = *made;
  if (Status linked = network->ifp_->ioctl(net::SetLinkstr{linkstr}); !linked) return linked.error();
  return network;
}

Result<std::unique_ptr<net::inet::Inet>> FwuNetwork::make_inet() {
  auto inet = std::make_unique<net::inet::Inet>(domain(), net::inet::InetConfig{});
  if (Status attached = inet->attach(*ifp_); !attached) return attached.error();
  if (!place_) return inet;
  if (Status added = inet->add_address(*ifp_, place_->address, net::inet::Claim::at_once); !added) return added.error();
  if (!place_->gateway) return inet;
  const net::inet::IpPrefix everywhere{net::inet::any_of(*place_->gateway), 0};
  if (Status added = inet->add_route({everywhere, *place_->gateway}); !added) return added.error();
  return inet;
}

Status FwuNetwork::ask_for_place() {
  Result<std::unique_ptr<net::inet::Inet>> inet = make_inet();
  if (!inet) return std::move(inet).error();
  Lease lease;
  net::inet::DhcpClient client(**inet, *ifp_, lease);
  if (Status started = client.start(); !started) return started;
  Callout give_up(domain().callouts(), [&lease] { lease.done = true; });
  give_up.schedule(clock_.now() + kDhcpPatience);
  if (Status ran = run_until(lease.done); !ran) return ran;
  if (!lease.has_one) {
    return fail(ETIMEDOUT, "no DHCP server gave an address within a minute: give one with --address ADDRESS/LENGTH");
  }
  place_ = lease.place;
  return {};
}

Status FwuNetwork::run_until(const bool& done) {
  while (!done) {
    if (loop_->poll(kBudgetFrames)) continue;
    if (done) return {};
    const std::optional<Time> deadline = loop_->next_deadline();
    const auto left = deadline ? std::optional(std::max(*deadline - clock_.now(), Time::zero())) : std::nullopt;
    const Result<host::Readable> ready = host::wait_readable({signals_->fd(), loop_->fd(), -1}, left);
    if (!ready) return ready.error();
    if ((*ready)[0] && signals_->take()) return fail(EINTR, "interrupted; nothing was written to the medium");
  }
  return {};
}

}  // namespace vif::tools
