// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl bridge`: its options, and a line of counters a port at the end.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vif::tools {

class BridgeCommand {
 public:
  explicit BridgeCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // Bridges until SIGINT or SIGTERM. The exit status: 0 it did, 1 a link could not be opened or the host failed.
  int run();

 private:
  std::vector<std::string> linkstrs_;
  bool json_ = false;
};

}  // namespace vif::tools
