// SPDX-License-Identifier: BSD-2-Clause
// What is behind a Room's eth0, in this process: an IP stack with the gateways' addresses, or a switch to another link.
// One thread, which waits for fd() and next_deadline(), then polls.
#pragma once

#include <memory>
#include <optional>

#include "hypercall/host/bridge.hpp"
#include "hypercall/host/node.hpp"
#include "hypercall/linux_ports.hpp"
#include "tools/virtifctl/room.hpp"

namespace vif::tools {

class RoomNetwork {
 public:
  // Makes eth0 in `place`. Without a link string there are the plan's gateways, each with the prefix of the address in
  // whose network it is. Errors: what the link says, and the host's.
  static Result<std::unique_ptr<RoomNetwork>> open(host::TapPlace place, const RoomPlan& plan,
                                                   const std::string& linkstr);
  ~RoomNetwork();

  int fd() const { return loop_->fd(); }
  std::optional<Time> time_left();
  void poll() { loop_->poll(kBudgetFrames); }

 private:
  static constexpr std::size_t kBudgetFrames = 256;

  RoomNetwork() = default;
  Status begin_stack(net::IfCloneTable& interfaces, const RoomPlan& plan);
  Status begin_switch(net::IfCloneTable& interfaces, const std::string& linkstr);

  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::unique_ptr<host::Loop> loop_;
  std::unique_ptr<host::Instance> instance_;
  std::unique_ptr<net::inet::Inet> inet_;
  std::unique_ptr<host::BridgedLinks> links_;
};

}  // namespace vif::tools
