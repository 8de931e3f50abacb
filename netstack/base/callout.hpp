// SPDX-License-Identifier: BSD-2-Clause
// BSD's callout(9) as a deadline queue: nothing here knows what time it is; the owner says so with advance(now).
//
// One queue per domain, used on that domain's thread only. Due callouts run by (deadline, order of scheduling), so two
// runs with the same inputs run them in the same order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/base/ports.hpp"

namespace vif {

class CalloutQueue;

// Something to do later. Belongs to one queue, which outlives it; destroying it cancels it, also from inside its own
// action. Scheduling does not allocate once the queue has held as many callouts before.
class VIF_API Callout {
 public:
  Callout(CalloutQueue& queue, std::function<void()> action) : queue_(queue), action_(std::move(action)) {}
  ~Callout() { cancel(); }
  Callout(const Callout&) = delete;
  Callout& operator=(const Callout&) = delete;

  // Replaces an earlier deadline. One that has passed counts as the time of the queue's last advance.
  void schedule(Time deadline);
  void cancel();  // harmless when not pending
  bool pending() const { return slot_ != kIdle; }

 private:
  friend class CalloutQueue;
  static constexpr std::size_t kIdle = SIZE_MAX;

  bool before(const Callout& other) const {
    return deadline_ != other.deadline_ ? deadline_ < other.deadline_ : sequence_ < other.sequence_;
  }

  CalloutQueue& queue_;
  std::function<void()> action_;
  Time deadline_{};
  std::uint64_t sequence_ = 0;
  std::size_t slot_ = kIdle;  // in the queue's heap
};

class VIF_API CalloutQueue {
 public:
  // Runs all that is due. What an action schedules waits for the next call, even when already due: one call always
  // ends. `now` never goes back.
  void advance(Time now);

  std::optional<Time> next_deadline() const;

 private:
  friend class Callout;

  void insert(Callout& callout);
  void remove(Callout& callout);
  void sift_up(std::size_t slot);
  void sift_down(std::size_t slot);
  void place(Callout& callout, std::size_t slot);

  std::vector<Callout*> heap_;  // binary heap, earliest first
  Time now_ = Time::min();      // of the last advance; no deadline is before it
  std::uint64_t next_sequence_ = 0;
};

}  // namespace vif
