// SPDX-License-Identifier: BSD-2-Clause
#include "services/connector/task_table.hpp"

#include <algorithm>
#include <unordered_set>

namespace vif::cn {

void TaskTable::apply(const ProcEvent& event) {
  switch (event.what) {
    case What::fork: {
      Task task{event.pid, event.tgid, event.parent_pid, event.parent_tgid, event.timestamp_ns, {}};
      // A child begins with its creator's name: of a thread that is its process, else the parent.
      const Task* const like = find(event.pid == event.tgid ? event.parent_pid : event.tgid);
      if (like != nullptr) task.comm = like->comm;
      tasks_.insert_or_assign(event.pid, task);
      return;
    }
    case What::exit:
      tasks_.erase(event.pid);
      return;
    case What::exec: {
      std::erase_if(tasks_,
                    [&](const auto& each) { return each.second.tgid == event.tgid && each.second.pid != event.pid; });
      // Its leader may have ended before one of its threads took the id over.
      Task& task = tasks_[event.pid];
      task.pid = event.pid;
      task.tgid = event.tgid;
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
    const auto [known, is_new] = tasks_.try_emplace(task.pid, task);
    if (!is_new) known->second.comm = task.comm;
  }
  std::erase_if(tasks_, [&](const auto& each) { return !alive.contains(each.first); });
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
