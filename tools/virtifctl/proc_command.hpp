// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl proc`: process events of a virtifd that was started with --proc.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/connector/proc_client.hpp"

namespace vif::tools {

class ProcCommand {
 public:
  explicit ProcCommand(CLI::App& app);  // adds the subcommands; lives as long as `app` parses

  // The exit status: 0 done, or as many as asked; 1 failed, or virtifd went away; 2 usage.
  int run();

 private:
  int listen(host::ProcClient& client, cn::Mask wanted);
  int tree(host::ProcClient& client);
  int top(host::ProcClient& client);
  int notify(host::ProcClient& client);
  void add_options(CLI::App& command);

  CLI::App* asked_ = nullptr;
  std::string socket_;
  std::vector<std::string> events_;
  std::optional<std::int32_t> pid_, tree_;
  std::int32_t tid_ = 0;
  std::uint32_t code_ = 0;
  std::uint64_t count_ = 0;
  double interval_s_ = 1;
  bool nonzero_ = false, withdraw_ = false, json_ = false;
};

}  // namespace vif::tools
