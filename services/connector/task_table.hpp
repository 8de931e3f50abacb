// SPDX-License-Identifier: BSD-2-Clause
// Which threads live, as far as the events tell: the snapshot that a listener can begin with, and who descends from
// whom. A value; one thread.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "services/connector/proc_event.hpp"

namespace vif::cn {

struct Task {
  std::int32_t pid = 0, tgid = 0;  // pid: the thread's id
  std::int32_t parent_pid = 0, parent_tgid = 0;
  std::uint64_t born_ns = 0;  // of its fork, CLOCK_MONOTONIC; 0: it was there before
  std::array<char, kCommBytes> comm{};
};

class VIF_API TaskTable {
 public:
  // A fork adds, an exit takes away; an exec ends the process's other threads, of which the caller has no exits to
  // expect; a comm renames. Told twice is as told once.
  void apply(const ProcEvent& event);
  // Who lives, by somebody who has looked after the events up to now were told: those of `tasks` whom the table does
  // not know are added, and those it knows and `tasks` lacks are gone. Names are taken from it.
  void reconcile(const std::vector<Task>& tasks);
  void name(std::int32_t pid, std::array<char, kCommBytes> comm);

  const Task* find(std::int32_t pid) const;
  // The threads of a process.
  template <class Visit>
  void for_each_of(std::int32_t tgid, Visit visit) const {
    if (const Task* const leader = find(tgid); leader != nullptr && leader->tgid == tgid) visit(*leader);
    const auto others = others_.find(tgid);
    if (others == others_.end()) return;
    for (const std::int32_t pid : others->second) visit(tasks_.at(pid));
  }
  std::size_t size() const { return tasks_.size(); }
  // By pid, so that two runs say the same.
  std::vector<Task> sorted() const;
  // The process itself and all that descend from it, as processes.
  std::vector<std::int32_t> tree(std::int32_t tgid) const;

 private:
  void put(const Task& task);
  void drop(std::int32_t pid);

  std::unordered_map<std::int32_t, Task> tasks_;
  // By process, its threads but the first: most have none, and an exec need not look at all that live.
  std::unordered_map<std::int32_t, std::unordered_set<std::int32_t>> others_;
};

}  // namespace vif::cn
