// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl fwu`: the words and options of its commands; what they do is in the other files of this folder.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "tools/virtifctl/fwu/fwu_options.hpp"

namespace vif::tools {

class FwuCommand {
 public:
  explicit FwuCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 done, 1 the medium or a file failed, 2 usage, 3 refused by a rule (docs/fwu.md says which).
  // `recorder`: hears of it; null: nobody.
  int run(TraceRecorder* recorder);

 private:
  CLI::App& add(CLI::App& fwu, const char* name, const char* what, int (*carry_out)(const FwuOptions&));
  void add_device(CLI::App& command);
  void add_policy(CLI::App& command);
  void add_looking(CLI::App& fwu);
  void add_changing(CLI::App& fwu);
  void add_making(CLI::App& fwu);

  FwuOptions options_;
  fwu::FwuTrace trace_;
  std::function<int()> chosen_;
};

}  // namespace vif::tools
