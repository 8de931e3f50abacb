// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl capture`: the frames of a virtifd's interfaces, to a file, a ring of files, a pipe or the terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/virtifctl/capture_run.hpp"

namespace vif::tools {

class CaptureCommand {
 public:
  explicit CaptureCommand(CLI::App& app);  // adds the subcommand; lives as long as `app` parses

  // The exit status: 0 it ended as asked (count, signal, reader gone), 1 it could not begin or go on, 2 usage.
  int run();

 private:
  // Errors: EINVAL, with the option and what it expects.
  Result<CaptureJob> job() const;

  std::vector<std::string> ifnames_;
  std::string socket_, filter_, write_, ring_, dir_;
  std::optional<std::uint64_t> count_, snaplen_;
};

// Runs it, with words about its beginning and end on standard error. The exit status as above.
int run_capture(const CaptureJob& job);

}  // namespace vif::tools
