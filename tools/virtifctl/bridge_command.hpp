// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl bridge`: a switch between links, and its counters at the end.
#pragma once

#include "tools/virtifctl/bridge_options.hpp"

namespace vif::tools {

class TraceRecorder;

class BridgeCommand {
 public:
  explicit BridgeCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // Bridges until SIGINT or SIGTERM. The exit status: 0 it did, 1 a link could not be opened or the host failed, 2
  // usage.
  int run(TraceRecorder* recorder = nullptr);

 private:
  BridgeOptions options_;
  bool json_ = false;
  bool stations_ = false;
};

}  // namespace vif::tools
