// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl trace record`, `stream` and `extract` of a running virtifd: its records into a file, or printed as they
// come. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tools/control/rpc.hpp"

namespace vif::tools {

struct TraceLiveJob {
  std::string socket_path;
  std::string_view method;  // "trace.record" or "trace.extract"
  Json params;
  std::string output;       // a trace.dat; empty: they are printed
  std::string marker = {};  // a trace_marker that gets what the file does; empty: none
  bool json = false;        // when printed, an object a line
  std::optional<std::chrono::duration<double>> duration = {};
};

// Until it is interrupted, the duration is over, or virtifd has no more. The exit status: 0 done, 1 it failed, 2
// virtifd says that makes no sense.
int run_trace_live(const TraceLiveJob& job);

}  // namespace vif::tools
