// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl dump`: what lies in a shared-memory segment, as text, JSON or a capture file.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace vif::tools {

class DumpCommand {
 public:
  explicit DumpCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status.
  int run();

 private:
  std::string linkstr_;
  std::optional<std::string> write_;
  bool json_ = false;
};

}  // namespace vif::tools
