// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl top`: what the interfaces of a virtifd move, as it moves: a page on a terminal, else lines.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "hypercall/linux_ports.hpp"
#include "hypercall/signal_fd.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/screen.hpp"
#include "tools/virtifctl/top_table.hpp"

namespace vif::tools {

class TopCommand {
 public:
  explicit TopCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 as often as asked, or until it was told to end by key or interrupt; 1 virtifd is not there or
  // went away; 2 usage; 128 + N ended by signal N otherwise.
  int run();

 private:
  enum class Went : std::uint8_t { on, over };

  Result<int> watch(DaemonClient& daemon, host::SignalFd& signals, std::optional<Screen>& screen);
  // The exit status, when that is the end.
  std::optional<int> hear(int signal, std::optional<Screen>& screen);
  Went press(Screen& screen);
  Status take_answer(DaemonClient& daemon, std::optional<Screen>& screen);
  void draw(Screen& screen) const;
  Status print() const;

  std::string socket_, order_ = "b";
  std::optional<std::uint64_t> count_;
  double interval_s_ = 1;
  bool json_ = false;

  host::LinuxClock clock_;
  TopTable table_;
  std::uint64_t shown_ = 0;
  bool asked_ = false, has_keys_ = true;
};

}  // namespace vif::tools
