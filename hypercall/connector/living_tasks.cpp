// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/living_tasks.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "hypercall/host_error.hpp"
#include "hypercall/unique_fd.hpp"

namespace vif::host {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::optional<std::int32_t> number_in(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// Calls visit(number) for each entry of a folder that is one. False: there is no such folder.
template <class Visit>
bool for_each_number(const std::string& path, Visit visit) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (folder == nullptr) return false;
  while (const dirent* const entry = ::readdir(folder.get())) {
    if (const auto number = number_in(entry->d_name)) visit(*number);
  }
  return true;
}

// proc_pid_stat(5): "PID (NAME) STATE PPID ...", where the name may hold anything.
std::optional<cn::Task> task_in(std::string_view stat) {
  const std::size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close + 4 >= stat.size()) return {};
  const char state = stat[close + 2];
  if (state == 'Z' || state == 'X') return {};  // its exit has been told, or is about to be
  cn::Task task;
  const std::string_view name = stat.substr(open + 1, close - open - 1);
  name.copy(task.comm.data(), cn::kCommBytes - 1);
  const std::string_view rest = stat.substr(close + 4);
  task.parent_tgid = number_in(rest.substr(0, rest.find(' '))).value_or(0);
  task.parent_pid = task.parent_tgid;
  return task;
}

// The front of a small file; empty when it is not there any more.
std::string read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text;
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

Result<std::vector<cn::Task>> living_tasks() {
  std::vector<cn::Task> found;
  const bool read = for_each_number("/proc", [&](std::int32_t tgid) {
    const std::string threads = "/proc/" + std::to_string(tgid) + "/task";
    for_each_number(threads, [&](std::int32_t pid) {
      std::optional<cn::Task> task = task_in(read_file(threads + "/" + std::to_string(pid) + "/stat"));
      if (!task) return;  // it has ended meanwhile
      task->pid = pid;
      task->tgid = tgid;
      found.push_back(*task);
    });
  });
  if (!read) return host_error("cannot read /proc");
  return found;
}

std::optional<std::array<char, cn::kCommBytes>> name_of(std::int32_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/comm");
  if (text.empty()) return {};
  std::array<char, cn::kCommBytes> name{};
  std::string_view(text).substr(0, text.find('\n')).copy(name.data(), name.size() - 1);
  return name;
}

}  // namespace vif::host
