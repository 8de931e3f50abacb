// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl trace`: the words and options of its commands; what they do is in the other files of this folder.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "tools/virtifctl/trace/trace_node_command.hpp"

namespace vif::tools {

class TraceRecorder;

class TraceCommand {
 public:
  // Runs another command line of virtifctl in this process, recorded; its exit status.
  using RunRecorded = std::function<int(const std::vector<std::string>& words, TraceRecorder& recorder)>;

  explicit TraceCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 done, 1 a file or the recording failed, 2 usage; of `record` else that of what it ran.
  int run(const RunRecorded& run_recorded);

 private:
  void add_record(CLI::App& trace);
  void add_reading(CLI::App& trace);

  int record(const RunRecorded& run_recorded) const;
  int report() const;
  int convert() const;
  int salvage() const;
  int list() const;

  std::function<int(const RunRecorded&)> chosen_;
  std::function<int()> chosen_of_node_;  // null: the other
  std::optional<TraceNodeCommand> node_;
  std::vector<std::string> words_;
  std::string output_ = "trace.dat", input_ = "trace.dat", folder_, marker_;
  bool json_ = false;
};

}  // namespace vif::tools
