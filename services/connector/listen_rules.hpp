// SPDX-License-Identifier: BSD-2-Clause
// Who listens, to what, and how a request is answered: the part of the process connector in which a safe bus and the
// kernel differ (mode.hpp). On the bus's thread; only interest() is for any.
#pragma once

#include <atomic>
#include <memory>

#include "services/connector/bus.hpp"
#include "services/connector/control.hpp"
#include "services/connector/task_table.hpp"

namespace vif::cn {

// How a request is answered.
struct Answer {
  enum class To : std::uint8_t { nobody, sender, everybody };
  To to = To::nobody;
  std::uint32_t error = 0;  // a positive errno
  bool granted = false;     // a notify or resync is to be done, by the caller
};

class ListenRules {
 public:
  virtual ~ListenRules() = default;

  // Listens and ignores; says whether a notify or resync is granted; refuses what nobody knows. `request` is nullopt
  // when it could not be read.
  virtual Answer control(const std::optional<Request>& request, const Sender& sender) = 0;
  // Whether this member of the group is given the event.
  virtual bool wants(const Subscriber& subscriber, const ProcEvent& event) const = 0;
  // Whether it listens at all, and so is told of what is lost; and to this process, whatever the kind of event.
  virtual bool listens(const Subscriber& subscriber) const = 0;
  virtual bool covers(const Subscriber& subscriber, std::int32_t tgid) const = 0;
  // Whether it asked for records with an Extension.
  virtual bool wants_extension(const Subscriber& subscriber) const = 0;
  // Before anybody is asked whether it wants it.
  virtual void observe(const ProcEvent& event) = 0;
  virtual void departing(const Subscriber& subscriber) = 0;

  // The kinds of event that somebody wants. Any thread: what is not among them need not be told.
  Mask interest() const { return interest_.load(std::memory_order_relaxed); }

 protected:
  void set_interest(Mask interest) { interest_.store(interest, std::memory_order_relaxed); }

 private:
  std::atomic<Mask> interest_{0};
};

// In mode.cpp. The tasks, when there are any, outlive the rules.
std::unique_ptr<ListenRules> make_listen_rules(Mode mode, const TaskTable* tasks);

}  // namespace vif::cn
