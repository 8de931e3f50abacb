// SPDX-License-Identifier: BSD-2-Clause
// Who records: a session, or anybody else who wants the events of a Tracing. A probe has a place, and an event's word
// the bit of that number.
#pragma once

#include <cstddef>
#include <cstdint>

#include "netstack/base/api.hpp"
#include "services/trace/payload.hpp"
#include "services/trace/user_event.hpp"

namespace vif::trace {

class Writer;

inline constexpr unsigned kProbesMax = 8;  // of one Tracing at a time

// What the status text calls it.
enum class ProbeKind : std::uint8_t { ftrace, perf, other };

// Who wants to hear of events that are registered. The control side.
class VIF_API EventWatch {
 public:
  virtual ~EventWatch() = default;
  // It may be enabled from here.
  virtual void event_created(UserEvent& event) = 0;
};

class VIF_API Probe {
 public:
  virtual ~Probe() = default;
  virtual ProbeKind kind() const = 0;
  // Copies one record, of an event that has this probe's bit set. Called from the thread that `writer` is of, also
  // while the control side works. EFAULT: the payload could not be read, or its locations are not valid
  // (locations_valid); nothing was recorded. 0: recorded, or lost and counted, or filtered.
  virtual int record(Writer& writer, const UserEvent& event, const Payload& payload) = 0;
};

}  // namespace vif::trace
