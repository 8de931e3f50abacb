// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl replay --to LINKSTR` is told of the frames that must come back.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "netstack/replay/expectation.hpp"
#include "netstack/replay/learned_flows.hpp"

namespace vif::tools {

struct ExpectRequest {
  std::string file;  // the capture of what must come back
  net::ExpectSettings settings;
  net::LearnedFlows::Wanted learn = {};
  Time timeout{};  // waits at most so long after the last frame sent
  Time linger{};   // listens at least so long when all has come, too
};

class ExpectOptions {
 public:
  // They are options of `replay`, which lives as long as it parses.
  void add_to(CLI::App& replay);

  // None without --expect. Errors: EINVAL, naming the option.
  Result<std::optional<ExpectRequest>> request() const;
  const std::optional<std::string>& report() const { return report_; }

 private:
  std::optional<std::string> expect_, report_, within_;
  std::vector<std::string> ignore_;
  std::string only_, learn_;
  std::string order_ = "ordered";
  std::string timeout_ = "1s";
  bool allow_others_ = false;
};

}  // namespace vif::tools
