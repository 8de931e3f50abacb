// SPDX-License-Identifier: BSD-2-Clause
// Threads that wait for something in virtual time. When the one that made this waits, time passes. Others sleep until
// calls of other threads have brought what they wait for; time stands still then until they have come back for more, so
// that what they measure is when they were woken, however late the kernel lets them run. Any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "hypercall/packetdrill/machine.hpp"

namespace vif::host::packetdrill {

class Waiting {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using Ready = std::function<bool()>;
  // How long the owner waits for what never comes: more than the two hours until TCP asks whether a peer is there.
  static constexpr Time kPatience = std::chrono::hours(3);
  // How long time may stand still, on the host's clock.
  static constexpr std::chrono::seconds kReturn{1};

  explicit Waiting(Machine& machine) : machine_(machine), owner_(std::this_thread::get_id()) {}

  // Every call into the machine holds it.
  Lock enter();
  // Until `ready` or the deadline (none: for ever; the owner: kPatience). True: ready.
  bool until(Lock& lock, std::optional<Time> deadline, const Ready& ready);
  // The same, but time passes whoever calls, to `end` at most.
  bool pass(Lock& lock, Time end, const Ready& ready);
  // Wakes those who need not wait any longer, after something has happened.
  void tell(Lock& lock);

 private:
  struct Waiter {
    const Ready& ready;
    std::optional<Time> deadline;
    std::thread::id thread = std::this_thread::get_id();
    bool done = false;
  };
  bool is_over(const Waiter& waiter) const;
  void is_back();  // this thread, if it was woken

  Machine& machine_;
  const std::thread::id owner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiter*> waiters_;
  std::vector<std::thread::id> returning_;  // woken, and not yet back
};

}  // namespace vif::host::packetdrill
