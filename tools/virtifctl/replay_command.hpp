// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl replay`: its options, its table and its JSON.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/host/replay.hpp"
#include "tools/virtifctl/expect_options.hpp"
#include "tools/virtifctl/play_options.hpp"

namespace vif::tools {

class TraceRecorder;

class ReplayCommand {
 public:
  explicit ReplayCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status. `recorder`: of what the interface does; null: nobody.
  int run(TraceRecorder* recorder = nullptr);

 private:
  // What the options ask for. Errors: EINVAL, naming the option.
  Result<host::ReplayRequest> request() const;
  int play_to_link() const;

  std::vector<std::string> files_;
  std::optional<std::string> lladdr_;
  std::vector<std::string> join_;
  bool allmulti_ = false;
  bool promisc_ = false;
  std::optional<std::string> mtu_bytes_;
  std::string filter_;
  std::optional<std::string> write_;
  PlayOptions play_;
  ExpectOptions expect_;
  bool json_ = false;
};

}  // namespace vif::tools
