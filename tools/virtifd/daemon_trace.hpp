// SPDX-License-Identifier: BSD-2-Clause
// What virtifd says of itself to whoever records it, group "virtifd". On the domain's thread.
#pragma once

#include <array>
#include <string_view>

#include "netstack/base/tracepoint.hpp"

namespace vif::tools {

struct DaemonTrace {
  using Text = std::string_view;

  // As `worker.end` of `monitor` says it.
  Tracepoint<"worker_end worker end reason", Text, Text, Text> worker_end;

  std::array<AnyTracepoint*, 1> all() { return {&worker_end}; }
};

}  // namespace vif::tools
