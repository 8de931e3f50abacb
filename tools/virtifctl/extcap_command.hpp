// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl extcap`: what Wireshark and tshark run to list the interfaces of a virtifd beside those of the host, and
// to capture from them. Source: Wireshark Developer's Guide, "Capture with extcap"; extcap(4).
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/result.hpp"

namespace vif::tools {

class ExtcapCommand {
 public:
  explicit ExtcapCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0, 1 it could not be done (standard error says why, which Wireshark shows), 2 usage.
  int run();

  // Wireshark puts no command before its questions: whether this first word is one of them.
  static bool asks(std::string_view word) { return word.starts_with("--extcap-") || word == "--capture"; }

 private:
  Result<std::string> socket_path() const;
  int list() const;
  int config() const;
  int check_filter() const;
  int capture() const;

  bool list_ = false, dlts_ = false, config_ = false, capture_ = false;
  std::string interface_, filter_, fifo_, socket_, dir_ = "both", version_;
  std::optional<std::uint32_t> snaplen_;
};

}  // namespace vif::tools
