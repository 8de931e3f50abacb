// SPDX-License-Identifier: BSD-2-Clause
// A process connector on a bus in a mode, clients that send what a program would, and things that happen.
#pragma once

#include <deque>

#include "services/connector/proc_connector.hpp"
#include "tests/services/connector/bytes.hpp"

namespace vif::cn::test {

class SetClock final : public ClockPort {
 public:
  Time now() override { return at; }
  std::int64_t wall_ns() override { return 0; }
  Time at{1000};
};

class ProcRig {
 public:
  explicit ProcRig(Mode mode, const ProcConnector::Config& config = {})
      : bus(mode), proc(std::move(*ProcConnector::attach(bus, clock, config))) {}

  // A member of group 1 that has asked for nothing yet.
  Subscriber& join(const Subscriber::Config& config = {}) {
    Subscriber& made = clients.emplace_back(bus, config);
    (void)made.join(kProcId.idx);
    return made;
  }
  // Payloads as a client would write them, with seq 0x1234 and ack 0x5500.
  void say(Subscriber* client, const ByteVector& payload, bool initial_namespaces = true) {
    const Message message{.id = kProcId, .seq = 0x1234, .ack = 0x5500, .payload = payload};
    bus.receive(datagram_bytes(message), {.subscriber = client, .tid = 50, .initial_namespaces = initial_namespaces});
  }
  void say(Subscriber& client, const ByteVector& payload) { say(&client, payload); }
  Subscriber& listener(Mask mask = kMaskAll) {
    Subscriber& made = join();
    say(made, mask == kMaskAll ? words(1) : words(1, mask));
    (void)take_all(made);
    return made;
  }

  // A process `pid` whose life begins and ends: FORK EXEC EXIT.
  void fork(std::int32_t pid, std::int32_t parent = 10) {
    proc->publish({.what = What::fork, .pid = pid, .tgid = pid, .parent_pid = parent, .parent_tgid = parent});
  }
  void exec(std::int32_t pid) { proc->publish({.what = What::exec, .pid = pid, .tgid = pid}); }
  void exit(std::int32_t pid, std::uint32_t code) {
    proc->publish({.what = What::exit, .pid = pid, .tgid = pid, .exit_code = code, .exit_signal = 17});
  }
  void live(std::int32_t pid, std::uint32_t code) {
    fork(pid);
    exec(pid);
    exit(pid, code);
  }
  // Whether a member that never asked is told of a fork: the reference's way to look at the kernel's count.
  bool count_is_positive() {
    Subscriber& passive = join();
    fork(9999);
    return !take_all(passive).empty();
  }

  SetClock clock;
  Bus bus;
  std::unique_ptr<ProcConnector> proc;
  std::deque<Subscriber> clients;  // goes first
};

}  // namespace vif::cn::test
