// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl run -- COMMAND`: a program behind a virtual interface of this process, in namespaces of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/virtifctl/room.hpp"

namespace vif::tools {

class RunCommand {
 public:
  explicit RunCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The program's exit status, 128 + N when signal N ended it; 125 it was not begun, 126 or 127 it could not be run or
  // found; 2 usage.
  int run();

 private:
  Result<RoomPlan> plan() const;

  std::vector<std::string> words_, addresses_, gateways_;
  std::string linkstr_;
};

}  // namespace vif::tools
