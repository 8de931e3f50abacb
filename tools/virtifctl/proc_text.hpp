// SPDX-License-Identifier: BSD-2-Clause
// Process events for people and for machines: a line each, the tree of who lives, and what happens a second. Text out
// of values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hypercall/connector/proc_client.hpp"

namespace vif::tools {

inline constexpr const char* kProcListenHeader =
    "Time         Event        PID  Info                         Duration  Process\n";

// How long threads have lived, of those whose fork was seen.
class ProcLives {
 public:
  // Of an exit: how long it lived.
  std::optional<std::uint64_t> see(const cn::ProcEvent& event);

 private:
  std::unordered_map<std::int32_t, std::uint64_t> born_ns_;
};

// One line of `proc listen`.
struct ProcLineTimes {
  std::uint64_t now_ns;  // the clock of the events' stamps
  std::int64_t wall_s;   // the time of day then
  std::optional<std::uint64_t> lived_ns;
};
std::string proc_line(const host::ProcClient::Told& told, const ProcLineTimes& times);
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
