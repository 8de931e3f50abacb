// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl show`: its options, its text and its JSON.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vif::tools {

class ShowCommand {
 public:
  explicit ShowCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 every link could be opened, 1 one could not.
  int run();

 private:
  std::vector<std::string> linkstrs_;
  bool json_ = false;
};

}  // namespace vif::tools
