// SPDX-License-Identifier: BSD-2-Clause
// Process events for people and for machines: a line each, the tree of who lives, and what happens a second. Text out
// of values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hypercall/connector/proc_client.hpp"

namespace vif::tools {

inline constexpr const char* kProcListenHeader =
    "Time         Event        PID  Info                         Process\n";

// One line of `proc listen`; `now_ns` is the clock of the events' stamps, `wall_s` the time of day then.
std::string proc_line(const host::ProcClient::Told& told, std::uint64_t now_ns, std::int64_t wall_s);
std::string proc_json(const host::ProcClient::Told& told);

// Of a wait status, in words: "exit 3", "signal 11, core dumped".
std::string exit_words(std::uint32_t status);

// The processes of these tasks under their parents, a line each, threads counted.
std::string proc_tree_text(const std::vector<host::ProcClient::Told>& tasks);

// What happened in a second or so.
class ProcRates {
 public:
  void add(const host::ProcClient::Told& told);
  // A table of the last `seconds`, the busiest names first, and begins anew.
  std::string text(double seconds);
  std::string json(double seconds);

 private:
  struct Counts {
    std::uint64_t forks = 0, execs = 0, exits = 0;
    std::uint64_t all() const { return forks + execs + exits; }
  };
  std::vector<std::pair<std::string, Counts>> busiest() const;

  Counts total_;
  std::uint64_t lost_ = 0;
  std::map<std::string, Counts> by_name_;
};

}  // namespace vif::tools
