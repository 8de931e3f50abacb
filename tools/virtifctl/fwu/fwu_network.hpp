// SPDX-License-Identifier: BSD-2-Clause
// One interface on a link, for as long as capsules are fetched by it, and the address it has there. Stacks come and go
// on it; SIGINT and SIGTERM end what runs. One thread, which is the domain's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/signal_fd.hpp"
#include "hypercall/trace/own_events.hpp"
#include "netstack/inet/inet.hpp"
#include "tools/virtifctl/trace/trace_recorder.hpp"

namespace vif::tools {

class FwuNetwork {
 public:
  // Where we are on the link.
  struct Place {
    net::inet::IpPrefix address;
    std::optional<net::inet::IpAddress> gateway;
  };

  // Errors: the link's.
  static Result<std::unique_ptr<FwuNetwork>> open(const std::string& linkstr, TraceRecorder* recorder);

  net::Domain& domain() { return loop_->domain(); }
  net::Ifnet& ifp() { return *ifp_; }

  // From here on we are there.
  void settle(const Place& place) { place_ = place; }
  // The same by DHCP. ETIMEDOUT: no server gave an address. The lease is not asked to be longer.
  Status ask_for_place();
  const Place& place() const { return *place_; }

  // A stack of our own there, with the addresses.
  Result<std::unique_ptr<net::inet::Inet>> make_inet();

  // Polls until `done`. EINTR: a signal came. Otherwise the host's.
  Status run_until(const bool& done);

 private:
  FwuNetwork() = default;

  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::optional<host::SignalFd> signals_;
  std::unique_ptr<host::Loop> loop_;
  std::unique_ptr<host::OwnEvents> recorded_;
  std::optional<host::Instance> instance_;
  net::Ifnet* ifp_ = nullptr;
  std::optional<Place> place_;
};

}  // namespace vif::tools
