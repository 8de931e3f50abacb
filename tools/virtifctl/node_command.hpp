// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl link|maddr|addr|route|neigh|port|fdb ...` `virtifctl config` and `virtifctl monitor`: what is asked of a
// virtifd.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/control/rpc.hpp"

namespace vif::tools {

class NodeCommand {
 public:
  explicit NodeCommand(CLI::App& app);  // adds the subcommands; lives as long as `app` parses

  bool is_asked() const { return asked_ != nullptr; }
  // The exit status: 0 done, 1 virtifd could not do it or is not there, 2 usage.
  int run();

 private:
  void add_options(CLI::App& command);
  int call();
  int print(const std::string& object, const Json& rows) const;
  int config();
  int monitor();

  std::vector<CLI::App*> commands_;
  const CLI::App* asked_ = nullptr;
  std::string socket_, apply_, shows_;
  bool json_ = false, stats_ = false, brief_ = false, only4_ = false, only6_ = false, times_ = false;
};

}  // namespace vif::tools
