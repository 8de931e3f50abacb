// SPDX-License-Identifier: BSD-2-Clause
// What is behind a Room's eth0, in this process: an IP stack with the gateways' addresses, or a switch to another link.
// One thread, which waits for fd() and next_deadline(), then polls.
#pragma once

#include <memory>
#include <optional>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "netstack/if_bridge.hpp"
#include "netstack/inet/inet.hpp"
#include "tools/virtifctl/room.hpp"
#include "virtif/virtif_module.hpp"

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

  // Opens the TAP, whose descriptors came from the room, whatever the link string: no other interface has it.
  class Inside final : public drv::LinkOpener {
   public:
    Inside(RoomNetwork& network, host::TapPlace place) : network_(network), place_(std::move(place)) {}
    Result<drv::OpenLink> open(const drv::Linkstr& linkstr, const drv::LinkOwner& owner) override;

   private:
    RoomNetwork& network_;
    host::TapPlace place_;
  };

  explicit RoomNetwork(host::TapPlace place) : inside_(*this, std::move(place)) {}
  Status begin_stack(net::Ifnet& eth0, const RoomPlan& plan);
  Status begin_switch(net::Ifnet& eth0, net::IfCloneTable& interfaces, const std::string& linkstr);

  host::LinuxClock clock_;
  host::LinuxRandom random_;
  host::LinuxFiles files_;
  std::unique_ptr<host::Loop> loop_;
  Inside inside_;
  std::unique_ptr<drv::VirtifModule> driver_;  // of eth0's other end
  std::unique_ptr<host::Instance> instance_;
  std::unique_ptr<net::inet::Inet> inet_;
  std::unique_ptr<net::Bridge> bridge_;
};

}  // namespace vif::tools
