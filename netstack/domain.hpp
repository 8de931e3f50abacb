// SPDX-License-Identifier: BSD-2-Clause
// A domain: one loop's worth of state. Its clock, callouts, mbuf pool and interfaces run on one thread at a time,
// without locks. Other threads reach it in two ways only: they post() a command, or mark one of its interfaces ready().
//
// The owner (hypercall's loop, or a test) calls poll(now, budget) and sleeps when may_sleep() says so; whoever brings
// work then wakes it through the WakePort. Nothing here knows the time or waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "netstack/base/callout.hpp"
#include "netstack/base/ports.hpp"
#include "netstack/ether_demux.hpp"
#include "netstack/if_trace.hpp"
#include "netstack/inbox.hpp"
#include "netstack/mbuf_pool.hpp"
#include "netstack/ready_set.hpp"

namespace vif::net {

// Ends the owner's sleep. Any thread; must not block and must not call back.
class WakePort {
 public:
  virtual ~WakePort() = default;
  virtual void wake() = 0;
};

// Something the domain polls when it was marked ready.
class Pollable {
 public:
  virtual ~Pollable() = default;
  // Works on at most `budget` frames. True: there is more, poll again.
  virtual bool poll(std::size_t budget) = 0;
};

// Hears of interfaces. Called on the domain's thread; may not destroy interfaces directly (IfCloneTable defers that).
class IfEventListener {
 public:
  virtual ~IfEventListener() = default;
  virtual void if_arrived(Ifnet& ifp) = 0;
  virtual void if_departed(Ifnet& ifp) = 0;      // the last call about `ifp`
  virtual void if_link_changed(Ifnet& ifp) = 0;  // its link state, or what its wire says of address and MTU, is new
};

class VIF_API Domain {
 public:
  struct Config {
    MbufPool::Config pool = {};
    std::size_t interfaces_max = 4096;
    std::size_t inbox_commands = 1024;
  };

  // The ports outlive the domain.
  Domain(const Config& config, RandomPort& random, WakePort& wake);
  ~Domain();  // no interface is left, nothing is posted any more
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  // --- any thread ---

  // Runs `command` on the domain's thread at its next poll. False: the inbox is full, nothing will happen.
  bool post(Command command);
  // Polls the interface of this slot soon. Cheap, idempotent, never calls back.
  void ready(std::size_t slot);

  // --- the domain's thread ---

  // One round: deferred work, commands, due callouts, then each ready interface once with `budget` frames, in slot
  // order. True: there is more to do at once. `now` before an earlier one counts as that one. From inside a poll or an
  // upcall it does nothing.
  bool poll(Time now, std::size_t budget);
  // True: nothing is pending, and whoever brings work from now on will call wake(). False: poll again first.
  bool may_sleep();
  std::optional<Time> next_deadline() const { return callouts_.next_deadline(); }
  Time now() const { return now_; }

  MbufPool& pool() { return pool_; }
  CalloutQueue& callouts() { return callouts_; }
  RandomPort& random() { return random_; }
  EtherDemux& demux() { return demux_; }
  IfTrace& trace() { return trace_; }

  // Runs `work` at the next poll. For what may not happen inside an upcall.
  void defer(Command work);
  bool in_upcall() const { return upcall_depth_ > 0; }
  // Whether poll() would do nothing: a poll or an upcall is on the stack.
  bool busy() const { return polling_ || in_upcall(); }

  // A place among the polled; nullopt when interfaces_max are taken. `pollable` stays until leave(slot).
  std::optional<std::size_t> enter(Pollable& pollable);
  void leave(std::size_t slot);

  // The interfaces, oldest first, and the listeners. Indexes start at 1 and are never used twice.
  const std::vector<Ifnet*>& interfaces() const { return interfaces_; }
  void publish(Ifnet& ifp);  // once it is whole; gives it its index
  void withdraw(Ifnet& ifp);
  void announce_link_change(Ifnet& ifp);
  void listen(IfEventListener& listener) { listeners_.push_back(&listener); }
  void unlisten(IfEventListener& listener) { std::erase(listeners_, &listener); }

 private:
  friend class UpcallScope;

  void wake_if_asleep();
  void run_commands();
  void announce(void (IfEventListener::*event)(Ifnet&), Ifnet& ifp);

  RandomPort& random_;
  WakePort& wake_;
  MbufPool pool_;
  CalloutQueue callouts_;
  EtherDemux demux_;
  IfTrace trace_;
  Inbox inbox_;
  ReadySet ready_;
  std::atomic<bool> asleep_{false};
  Time now_{};
  std::vector<Command> deferred_;
  std::vector<Pollable*> pollables_;  // by slot; null: free
  std::vector<Ifnet*> interfaces_;
  std::vector<IfEventListener*> listeners_;
  std::uint32_t last_ifindex_ = 0;
  int upcall_depth_ = 0;
  bool polling_ = false;
};

// While one of these lives the driver is on the stack: destroying its interface has to wait.
class UpcallScope {
 public:
  explicit UpcallScope(Domain& domain) : domain_(domain) { ++domain_.upcall_depth_; }
  ~UpcallScope() { --domain_.upcall_depth_; }
  UpcallScope(const UpcallScope&) = delete;
  UpcallScope& operator=(const UpcallScope&) = delete;

 private:
  Domain& domain_;
};

}  // namespace vif::net
