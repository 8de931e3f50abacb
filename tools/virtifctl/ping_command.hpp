// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl ping`: asks a virtifd to send echo requests, and says what came back, as ping(8) does.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "netstack/base/ports.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/ping_report.hpp"

namespace vif::tools {

class PingCommand {
 public:
  explicit PingCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status, ping(8)'s: 0 somebody answered, 1 nobody did, 2 it could not be asked, or usage.
  int run();

 private:
  Status check_address() const;
  Status send_next(DaemonClient& daemon, PingReport& report);
  // What has come. Errors: virtifd's; a request that was not answered is none.
  Status take_answers(DaemonClient& daemon, PingReport& report);
  Status ping(DaemonClient& daemon, PingReport& report);

  std::string socket_, to_, interface_;
  std::optional<std::uint64_t> count_;
  double interval_s_ = 1, wait_s_ = 2;
  std::uint64_t bytes_ = 56;
  bool json_ = false, quiet_ = false, only4_ = false, only6_ = false;

  std::uint64_t sequence_ = 0;                        // of the last one sent
  std::map<std::uint64_t, std::uint64_t> under_way_;  // request id: sequence
};

}  // namespace vif::tools
