// SPDX-License-Identifier: BSD-2-Clause
// The bits in callers' memory that follow whether an event is enabled (Linux 6.4 and later). Each holds a use of its
// event until it is taken out or its memory goes away. The control side, one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/trace/caller_memory.hpp"
#include "services/trace/user_event.hpp"

namespace vif::trace {

// Where a bit is.
struct EnableBit {
  CallerMemory* memory;
  std::uint64_t address;
  std::uint8_t bit;
  friend auto operator<=>(const EnableBit&, const EnableBit&) = default;
};

class VIF_API Enablers {
 public:
  bool has(const EnableBit& where) const { return bits_.contains(where); }
  // Sets the bit at once if the event is enabled. `bytes`: 4 or 8. EFAULT: not writable; nothing was added.
  Status add(const EnableBit& where, std::uint8_t bytes, UserEvent& event);
  // Clears the bit as well. ENOENT: there is none. EFAULT: it is gone, but its memory could not be written.
  Status remove(const EnableBit& where);
  // `child` begins as a copy of `parent`, enablers included.
  void fork(const CallerMemory& parent, CallerMemory& child);
  // That memory is no more: the program ended, or runs another image.
  void forget(const CallerMemory& memory);
  // The event was enabled or disabled. Memory that cannot be written any more is left alone.
  void follow(const UserEvent& event);

 private:
  struct Enabler {
    std::uint8_t bytes;
    UserEvent* event;
  };
  using Bits = std::map<EnableBit, Enabler>;

  Enabler take(Bits::iterator at);

  Bits bits_;
  std::multimap<const UserEvent*, EnableBit> by_event_;
};

}  // namespace vif::trace
