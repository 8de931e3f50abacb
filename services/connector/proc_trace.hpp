// SPDX-License-Identifier: BSD-2-Clause
// What a process connector tells of itself, event by event; nothing unless somebody attached a sink. On the thread of
// the connector's bus.
#pragma once

#include <array>

#include "netstack/base/tracepoint.hpp"

namespace vif::cn {

struct ProcTrace {
  // A thread that has ended, `code` as its listeners are told: a wait status; `signal`: to its parent, -1 is none.
  // `has_said`: 1 when it registered a code of its own, which is `said`, else 0.
  Tracepoint<"exit pid tgid code signal has_said said", std::int32_t, std::int32_t, std::uint32_t, std::int32_t,
             std::uint8_t, std::uint32_t>
      exit;
  // So many events never came here: the kernel had no room for them. Listeners are told in their place.
  Tracepoint<"lost events", std::uint64_t> lost;

  std::array<AnyTracepoint*, 2> all() { return {&exit, &lost}; }
};

}  // namespace vif::cn
