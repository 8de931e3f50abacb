// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/task_table.hpp"

#include <algorithm>

namespace vif::cn {

void TaskTable::put(const Task& task) {
  drop(task.pid);  // of an earlier one with this number, whose end nobody told
  tasks_.emplace(task.pid, task);
  if (task.pid != task.tgid) others_[task.tgid].insert(task.pid);
}

void TaskTable::drop(std::int32_t pid) {
  const auto known = tasks_.find(pid);
  if (known == tasks_.end()) return;
  if (const auto others = others_.find(known->second.tgid); others != others_.end()) {
    others->second.erase(pid);
    if (others->second.empty()) others_.erase(others);
  }
  tasks_.erase(known);
}

void TaskTable::apply(const ProcEvent& event) {
  switch (event.what) {
    case What::fork: {
      Task task{event.pid, event.tgid, event.parent_pid, event.parent_tgid, event.timestamp_ns, {}};
      // A child begins with its creator's name: of a thread that is its process, else the parent.
      const Task* const like = find(event.pid == event.tgid ? event.parent_pid : event.tgid);
      if (like != nullptr) task.comm = like->comm;
      return put(task);
    }
    case What::exit:
      return drop(event.pid);
    case What::exec: {
      std::vector<std::int32_t> gone;
      for_each_of(event.tgid, [&](const Task& task) {
        if (task.pid != event.pid) gone.push_back(task.pid);
      });
      for (const std::int32_t pid : gone) drop(pid);
      // Its leader may have ended before one of its threads took the id over.
      const Task* const known = find(event.pid);
      if (known == nullptr || known->tgid != event.tgid) put({.pid = event.pid, .tgid = event.tgid});
      return;
    }
    case What::comm:
      return name(event.pid, event.comm);
    default:
      return;
  }
}

void TaskTable::reconcile(const std::vector<Task>& tasks) {
  std::unordered_set<std::int32_t> alive;
  for (const Task& task : tasks) {
    alive.insert(task.pid);
    if (find(task.pid) == nullptr) put(task);
    else name(task.pid, task.comm);
  }
  std::vector<std::int32_t> gone;
  for (const auto& [pid, task] : tasks_) {
    if (!alive.contains(pid)) gone.push_back(pid);
  }
  for (const std::int32_t pid : gone) drop(pid);
}

void TaskTable::name(std::int32_t pid, std::array<char, kCommBytes> comm) {
  if (const auto known = tasks_.find(pid); known != tasks_.end()) known->second.comm = comm;
}

const Task* TaskTable::find(std::int32_t pid) const {
  const auto known = tasks_.find(pid);
  return known == tasks_.end() ? nullptr : &known->second;
}

std::vector<Task> TaskTable::sorted() const {
  std::vector<Task> all;
  all.reserve(tasks_.size());
  for (const auto& [pid, task] : tasks_) all.push_back(task);
  std::sort(all.begin(), all.end(), [](const Task& a, const Task& b) { return a.pid < b.pid; });
  return all;
}

std::vector<std::int32_t> TaskTable::tree(std::int32_t tgid) const {
  std::unordered_map<std::int32_t, std::vector<std::int32_t>> children;
  for (const auto& [pid, task] : tasks_) {
    if (pid == task.tgid) children[task.parent_tgid].push_back(pid);
  }
  std::vector<std::int32_t> found{tgid};
  std::unordered_set<std::int32_t> seen{tgid};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto of = children.find(found[i]);
    if (of == children.end()) continue;
    for (const std::int32_t child : of->second) {
      if (seen.insert(child).second) found.push_back(child);
    }
  }
  return found;
}

}  // namespace vif::cn
