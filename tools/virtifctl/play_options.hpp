// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl replay --to LINKSTR` is told beyond its files.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/replay/link_replay.hpp"

namespace vif::tools {

class PlayOptions {
 public:
  // They are options of `replay`, which lives as long as it parses; `views` are those that make no sense with --to.
  void add_to(CLI::App& replay, const std::vector<CLI::Option*>& views);

  bool asked() const { return !to_.empty(); }
  // `captures` as paths; `mtu_bytes` as --mtu says. Errors: EINVAL, naming the option.
  Result<host::LinkReplayRequest> request(std::vector<std::string> captures,
                                          std::optional<std::uint32_t> mtu_bytes) const;

 private:
  Status split(host::LinkReplayRequest& request) const;

  std::vector<std::string> to_;
  std::optional<std::string> split_;
  std::string speed_ = "original";
  std::string loop_ = "1";
  std::optional<std::string> gap_max_, duration_, linger_, limit_;
  std::string oversize_ = "refuse";
  std::string send_, rewrite_;
};

}  // namespace vif::tools
