// SPDX-License-Identifier: BSD-2-Clause
// `virtifctl trace` where it is about a running virtifd: groups, events, their status, the flight recorder. The words
// and options of these commands; what they say is virtifd's.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/control/rpc.hpp"
#include "tools/virtifctl/trace/trace_live.hpp"

namespace vif::tools {

class TraceNodeCommand {
 public:
  // Adds to `trace`; `chosen` is what to run, whose result is the exit status. Lives as long as `trace` parses.
  TraceNodeCommand(CLI::App& trace, std::function<int()>& chosen);

  // The options of a recording, which `record` shares.
  enum class Of : std::uint8_t { virtifd, virtifd_until_disabled, command };
  void add_wish(CLI::App& command, Of of);
  void add_duration(CLI::App& command);
  void add_socket(CLI::App& command);
  // From a running virtifd into this file; `marker`: and to this trace_marker, when it is not empty.
  int record(const std::string& output, const std::string& marker) const;

  // Each of its own, however many one -e names.
  std::vector<std::string> patterns() const;
  const std::string& filter() const { return filter_; }
  std::optional<std::size_t> buffer_kib() const { return buffer_kib_; }
  bool has_duration() const { return duration_s_.has_value(); }
  bool overwrite() const { return overwrite_; }

 private:
  void add_live(CLI::App& trace);
  void add_groups(CLI::App& trace);
  void add_events(CLI::App& trace);
  // A command that calls `method` with what `params` gives, and prints the answer.
  void answer(CLI::App& command, std::string method, std::function<Json()> params, void (*print)(const Json& result));
  int call(const std::string& method, const Json& params, void (*print)(const Json& result)) const;
  Json wish() const;

  std::function<int()>& chosen_;
  std::vector<std::string> patterns_;
  std::string filter_, socket_, group_, event_, output_ = "trace.dat";
  std::optional<std::size_t> buffer_kib_;
  std::optional<double> duration_s_;
  std::uint64_t limit_ = 0;
  bool overwrite_ = false, json_ = false;
};

}  // namespace vif::tools
