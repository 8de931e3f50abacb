// SPDX-License-Identifier: BSD-2-Clause
// A registered event. Its Group owns it and destroys it when nobody uses it any more; whoever counts itself in `uses`
// may keep a pointer to it as long.
//
// The control side (registering, attaching probes) is one thread at a time. Writers of any thread read `word`, and what
// never changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "services/trace/event_format.hpp"

namespace vif::trace {

class Group;

// A count that sticks at its greatest value instead of wrapping to "nobody": better an event too many than one freed
// under somebody's hands.
class UseCount {
 public:
  explicit UseCount(std::uint32_t count = 0) : count_(count) {}
  void add() { count_ += count_ != kStuck; }
  void drop() { count_ -= count_ != kStuck && count_ != 0; }
  std::uint32_t get() const { return count_; }

 private:
  static constexpr std::uint32_t kStuck = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t count_;
};

// When an event that nobody uses goes away.
enum class Lifetime : std::uint8_t {
  until_removed,   // by name: Linux up to 6.3, and PERSIST
  until_last_use,  // Linux from 6.4 on
};

// Which fields are in the way of an event of the same name.
enum class Formats : std::uint8_t {
  single,  // the name stands for one set of fields
  multi,   // every set of fields is an event of its own, NAME.HEXID (MULTI_FORMAT, Linux 6.9)
};

struct UserEvent {
  UserEvent(Group& of, EventFormat parsed) : group(of), format(std::move(parsed)) {}
  UserEvent(const UserEvent&) = delete;
  UserEvent& operator=(const UserEvent&) = delete;

  bool enabled() const { return word.load(std::memory_order_acquire) != 0; }
  // Where recordings list it: "user_events", "user_events.GROUP" or "user_events_multi...".
  const std::string& system() const;

  Group& group;
  const EventFormat format;
  std::string name;           // of the tracepoint: format.name, of a multi-format event with .HEXID
  std::uint16_t type_id = 0;  // common_type of its records; no two events of a Tracing have the same
  std::uint16_t index = 0;    // its bit in the group's status page, never 0
  Lifetime lifetime = Lifetime::until_removed;
  Formats formats = Formats::single;
  UseCount uses;                       // by files, enablers and probes
  std::atomic<std::uint32_t> word{0};  // bit n: the probe in place n wants it; 0: disabled
  // Copies of `word` that writers test in its place; whoever puts one here takes it out before it goes.
  std::vector<std::atomic<std::uint32_t>*> word_copies;
};

}  // namespace vif::trace
