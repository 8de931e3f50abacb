// SPDX-License-Identifier: BSD-2-Clause
// The process connector on a bus: Linux's cn_proc as a value. Events come in from whoever sees them happen, and go to
// the listeners among the members of group 1; what nobody wants is not built.
//
//   publish(event)       something happened in this program: numbered here, by its producer
//   relay(event, seq)    something the kernel has told, its number and processor kept
//   a message to 1:1     listen, ignore, notify, resync (control.hpp)
//
// A thread's exit is told with the code it registered, when the kernel's own says nothing (exit_codes.hpp).
// On the bus's thread, except interest(). Goes before its bus and after the bus's last subscriber.
#pragma once

#include <memory>
#include <vector>

#include "netstack/base/ports.hpp"
#include "services/connector/exit_codes.hpp"
#include "services/connector/listen_rules.hpp"
#include "services/connector/proc_trace.hpp"

namespace vif::cn {

class VIF_API ProcConnector final : private Bus::Watch {
 public:
  struct Config {
    bool follow_tasks =
        false;  // keep a TaskTable: for resync, trees and names; then every fork and exit is of interest
    ExitCodes* codes = nullptr;  // what threads have registered; outlives the connector. null: a notify is ENODEV
    std::uint32_t first_cpu = 0x8000'0000;  // what producer 0 calls its processor; the kernel's are small
    const ProcTrace* trace = nullptr;       // outlives the connector; null: nobody is told
  };

  // Takes id 1:1 and the bus's watch. EINVAL: the id is taken. The clock outlives it.
  static Result<std::unique_ptr<ProcConnector>> attach(Bus& bus, ClockPort& clock, const Config& config);
  ~ProcConnector() override;

  // The kinds of event that are not for nothing. Any thread.
  Mask interest() const { return config_.follow_tasks ? kMaskAll : rules_->interest(); }

  // `event` needs no cpu, and no time when it is now. Producers count their events from 0, without gaps to who hears
  // all.
  void publish(const ProcEvent& event, std::size_t producer = 0) {
    if ((interest() & bit(event.what)) != 0) publish_wanted(event, producer);
  }
  void relay(ProcEvent event, std::uint32_t seq);
  // So many events are missing here: listeners are told in their place.
  void lose(std::uint64_t count);

  // All that live, and the place in the subscriber's stream that goes on from there without gap or duplicate: give it
  // to its ring's begin_at(). ENOTSUP: tasks are not followed.
  struct Snapshot {
    StreamMark mark;
    std::vector<Task> tasks;  // by pid
  };
  Result<Snapshot> resync(const Subscriber& subscriber) const;

  // A registered code as a wait status, so that 42 does not read as a signal: its low byte is the exit status, 255 when
  // that would be 0 and the code is not. All 32 bits are in the Extension.
  static constexpr std::uint32_t wait_status(std::uint32_t code) {
    return code == 0 ? 0 : ((code & 0xff) != 0 ? code & 0xff : 0xff) << 8;
  }

  bool follows_tasks() const { return config_.follow_tasks; }
  TaskTable& tasks() { return tasks_; }
  bool anybody_listens() const { return rules_->interest() != 0; }

 private:
  ProcConnector(Bus& bus, ClockPort& clock, const Config& config);

  void departing(Subscriber& subscriber) override { rules_->departing(subscriber); }
  void control(const Message& message, const Sender& sender);
  void acknowledge(const Message& message, const Sender& sender, const Answer& answer);
  std::uint32_t notify(const Request& request, const Sender& sender);
  void tell_tasks(Subscriber& subscriber);
  std::optional<std::uint32_t> overlay(ProcEvent& event);
  void publish_wanted(ProcEvent event, std::size_t producer);
  void send(const ProcEvent& event, std::optional<std::uint32_t> user_code, std::uint32_t seq, std::uint32_t ack);
  void unicast(Subscriber& subscriber, const ProcEvent& event, std::uint32_t seq, std::uint32_t ack);
  std::uint32_t next_seq(std::size_t producer);
  std::uint64_t now_ns() { return static_cast<std::uint64_t>(clock_.now().count()); }

  Bus& bus_;
  ClockPort& clock_;
  const Config config_;
  TaskTable tasks_;
  std::unique_ptr<ListenRules> rules_;
  std::vector<std::uint32_t> seqs_;  // by producer
};

}  // namespace vif::cn
