// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl ifconfig`: BSD's words to a virtifd, and BSD's answers.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vif::tools {

class IfconfigCommand {
 public:
  explicit IfconfigCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 done, 1 virtifd could not do it or is not there, 2 usage.
  int run();

 private:
  int show(const std::string& ifname);

  CLI::App* command_;
  std::string socket_;
  bool all_ = false, names_ = false;
};

}  // namespace vif::tools
