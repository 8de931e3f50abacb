// SPDX-License-Identifier: BSD-2-Clause
// The command line of `virtifctl bridge`, and what it asks of the switch.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/host/bridge.hpp"

namespace vif::tools {

class BridgeOptions {
 public:
  void add_to(CLI::App& bridge);  // lives as long as `bridge` parses
  // Errors: EINVAL, with the option and what it expects.
  Result<host::BridgeRequest> request() const;

 private:
  Status set_vlans(host::BridgeRequest& request) const;
  Status set_floods(host::BridgeRequest& request) const;
  Status set_stations(host::BridgeRequest& request) const;

  std::vector<std::string> linkstrs_, access_, trunk_, static_, no_flood_, no_learn_;
  std::optional<std::uint32_t> flood_rate_, age_s_, stations_max_, probe_s_;
};

}  // namespace vif::tools
