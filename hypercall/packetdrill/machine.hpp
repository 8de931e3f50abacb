// SPDX-License-Identifier: BSD-2-Clause
// The host under test: lwIP on a virtual interface of the simulated host, and what it sent. One thread at a time;
// lwIP's state is the process's, so there is one of these.
#pragma once

#include <deque>
#include <memory>

#include "hypercall/packetdrill/settings.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/lwip/lwip_stack.hpp"
#include "virtif/virtif.hpp"

namespace vif::host::packetdrill {

class Machine {
 public:
  struct Sent {
    std::vector<std::byte> packet;
    std::int64_t time_us;  // as wall_us()
  };
  static constexpr std::size_t kSentMax = 4096;  // more, that nobody asks for, are forgotten

  // Five seconds later in virtual time: addresses are ours by then, and the gateway is known. EBUSY: there is one.
  static Result<std::unique_ptr<Machine>> create(const Settings& settings);
  ~Machine();  // no socket of the stack is left
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  net::lwip::LwipStack& stack() { return *stack_; }
  const Settings& settings() const { return settings_; }
  // Whether a socket may be bound to it: it is ours, or the unspecified one.
  bool is_ours(const net::inet::IpAddress& address) const;
  // Which of ours packets to `peer` come from.
  net::inet::IpAddress source_for(const net::inet::IpAddress& peer) const;

  Time now() const { return domain_.now(); }
  std::int64_t wall_us() { return host_.clock.wall_ns() / 1000; }

  // Lets everything happen that happens now.
  void settle();
  // Lets time pass to the stack's next timer, or to `end` when that is sooner, and settles.
  void step(Time end);

  // TCP's may be above the MTU, as what Linux's drivers put together is. EINVAL: no IP packet. EMSGSIZE: others' are.
  Status arrive(Bytes packet);
  // The oldest packet that was sent and not taken; nullopt: none.
  std::optional<Sent> take();

 private:
  explicit Machine(const Settings& settings);
  Status set_up();
  bool exchange();

  const Settings settings_;
  sim::SimHost host_;
  sim::SimWires wires_;
  net::Domain& domain_;
  std::unique_ptr<drv::Virtif> virtif_;
  std::unique_ptr<net::lwip::LwipStack> stack_;
  std::deque<Sent> sent_;
};

}  // namespace vif::host::packetdrill
