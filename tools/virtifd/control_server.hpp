// SPDX-License-Identifier: BSD-2-Clause
// virtifd's control plane, on a thread of its own: parsing, writing and slow clients cost the data path nothing. A verb
// crosses to the node's domain as a posted command, and its result comes back the same way. One that only looks is
// called on this thread while the domain is not polled: most of the time, and in a third of it.
//
//   client -> ControlSession -> Domain::post -> call_verb      control thread | domain's thread
//   client <- ControlSession <- asio::post  <- result, events
//   client <-> ControlSession -> Loop::try_look -> call_verb   control thread
//
// Made and destroyed on the domain's thread while the domain is not polled.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hypercall/host/node.hpp"
#include "hypercall/loop.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifd/metrics_listener.hpp"
#include "tools/virtifd/trace_service.hpp"
#include "tools/virtifd/workers.hpp"

namespace vif::tools {

class ControlServer {
 public:
  static constexpr std::size_t kClientsMax = 4096;  // more are told so and hung up on

  struct Config {
    std::optional<gid_t> group;  // whose members may speak, too
    std::string config_path;     // read again on SIGHUP; empty: there is nothing to
    std::string state_path;      // written when something changed; empty: none
    TraceService& trace;         // outlives it
  };

  // What it is reached by.
  struct Doors {
    ControlSocket socket;
    std::optional<MetricsListener> metrics;
  };

  // Serves at once. The node, whose domain is the loop's, and the workers outlive it. Errors: the host's.
  static Result<std::unique_ptr<ControlServer>> start(Doors doors, host::Loop& loop, host::Node& node, Workers& workers,
                                                      const Config& config);
  ~ControlServer();  // hangs up on everybody

 private:
  struct State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vif::tools
