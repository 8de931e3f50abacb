// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/proc_text.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

namespace vif::tools {
namespace {

using cn::ProcEvent;
using cn::What;
using Told = host::ProcClient::Told;

constexpr std::size_t kNamesShown = 10;

std::string text_of(const std::array<char, cn::kCommBytes>& comm) {
  return {comm.data(), strnlen(comm.data(), comm.size())};
}

std::string process_of(const Told& told) {
  if (told.event.what == What::comm) return std::string(told.event.comm_text());
  return told.extension.comm ? text_of(*told.extension.comm) : "";
}

std::string lower_name(What what) {
  std::string text(cn::name(what));
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string time_of_day(const ProcEvent& event, std::uint64_t now_ns, std::int64_t wall_s) {
  const std::uint64_t ago_ns = now_ns > event.timestamp_ns ? now_ns - event.timestamp_ns : 0;
  const std::time_t at = wall_s - static_cast<std::int64_t>(ago_ns / 1'000'000'000);
  std::tm local{};
  ::localtime_r(&at, &local);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     event.timestamp_ns / 1'000'000 % 1000);
}

std::string info_of(const Told& told) {
  const ProcEvent& event = told.event;
  switch (event.what) {
    case What::fork:
      return event.pid == event.tgid ? fmt::format("child of {}", event.parent_tgid)
                                     : fmt::format("thread of {}", event.tgid);
    case What::uid:
    case What::gid:
      return fmt::format("real {}, effective {}", event.real_id, event.effective_id);
    case What::ptrace:
      return event.parent_pid == 0 ? "detached" : fmt::format("traced by {}", event.parent_tgid);
    case What::coredump:
      return fmt::format("child of {}", event.parent_tgid);
    case What::exit:
      if (told.extension.user_code) {
        return fmt::format("{}, registered {}", exit_words(event.exit_code), *told.extension.user_code);
      }
      return exit_words(event.exit_code);
    default:
      return "";
  }
}

nlohmann::ordered_json json_of(const Told& told) {
  const ProcEvent& event = told.event;
  nlohmann::ordered_json line = {{"event", lower_name(event.what)}};
  if (event.what == What::lost) return line["count"] = event.count, line;
  line["time_ns"] = event.timestamp_ns;
  line["cpu"] = event.cpu;
  line["pid"] = event.pid;
  line["tgid"] = event.tgid;
  if (event.what == What::fork || event.what == What::coredump || event.what == What::exit ||
      event.what == What::task) {
    line["parent_pid"] = event.parent_pid;
    line["parent_tgid"] = event.parent_tgid;
  }
  if (event.what == What::uid || event.what == What::gid) {
    line["real"] = event.real_id;
    line["effective"] = event.effective_id;
  }
  if (event.what == What::ptrace) line["tracer"] = event.parent_tgid;
  if (event.what == What::exit) {
    line["exit_code"] = event.exit_code;
    line["exit_signal"] = event.exit_signal;
    if (told.extension.user_code) line["user_code"] = *told.extension.user_code;
  }
  if (const std::string process = process_of(told); !process.empty()) line["process"] = process;
  return line;
}

}  // namespace

std::string exit_words(std::uint32_t status) {
  if ((status & 0x7f) == 0) return fmt::format("exit {}", status >> 8 & 0xff);
  return fmt::format("signal {}{}", status & 0x7f, (status & 0x80) != 0 ? ", core dumped" : "");
}

std::optional<std::uint64_t> ProcLives::see(const ProcEvent& event) {
  if (event.what == What::fork) born_ns_[event.pid] = event.timestamp_ns;
  if (event.what != What::exit) return {};
  const auto born = born_ns_.extract(event.pid);
  if (!born || born.mapped() > event.timestamp_ns) return {};
  return event.timestamp_ns - born.mapped();
}

std::string proc_line(const Told& told, const ProcLineTimes& times) {
  if (told.event.what == What::lost) {
    return fmt::format("{:12} {:8} {} events are missing here\n", "", "lost", told.event.count);
  }
  const std::string lived =
      times.lived_ns ? fmt::format("{:.3f}s", static_cast<double>(*times.lived_ns) / 1e9) : std::string();
  return fmt::format("{} {:8} {:>7}  {:28} {:>8}  {}\n", time_of_day(told.event, times.now_ns, times.wall_s),
                     lower_name(told.event.what), told.event.pid, info_of(told), lived, process_of(told));
}

std::string proc_json(const Told& told) {
  return json_of(told).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string proc_tree_text(const std::vector<Told>& tasks) {
  struct Process {
    std::string name;
    std::int32_t parent = 0;
    std::size_t threads = 0;
  };
  std::map<std::int32_t, Process> processes;
  for (const Told& told : tasks) {
    Process& process = processes[told.event.tgid];
    ++process.threads;
    if (told.event.pid == told.event.tgid || process.name.empty()) process.name = process_of(told);
    process.parent = told.event.parent_tgid;
  }
  std::map<std::int32_t, std::vector<std::int32_t>> children;
  for (const auto& [tgid, process] : processes) {
    const bool is_root = !processes.contains(process.parent) || process.parent == tgid;
    children[is_root ? 0 : process.parent].push_back(tgid);
  }
  std::string text;
  // Depth first, without recursion: a fork bomb may be deep.
  std::vector<std::pair<std::int32_t, std::size_t>> todo;
  std::set<std::int32_t> seen;
  const auto push = [&](std::int32_t parent, std::size_t depth) {
    const auto found = children.find(parent);
    if (found == children.end()) return;
    for (auto child = found->second.rbegin(); child != found->second.rend(); ++child) todo.emplace_back(*child, depth);
  };
  push(0, 0);
  while (!todo.empty()) {
    const auto [tgid, depth] = todo.back();
    todo.pop_back();
    if (!seen.insert(tgid).second) continue;
    const Process& process = processes[tgid];
    text += fmt::format("{:>7}  {:{}}{}{}\n", tgid, "", depth * 2, process.name,
                        process.threads > 1 ? fmt::format(" ({} threads)", process.threads) : "");
    push(tgid, depth + 1);
  }
  return text;
}

void ProcRates::add(const Told& told) {
  if (told.event.what == What::lost) lost_ += told.event.count;
  Counts& named = by_name_[process_of(told)];
  for (Counts* const counts : {&total_, &named}) {
    counts->forks += told.event.what == What::fork ? 1 : 0;
    counts->execs += told.event.what == What::exec ? 1 : 0;
    counts->exits += told.event.what == What::exit ? 1 : 0;
  }
}

std::vector<std::pair<std::string, ProcRates::Counts>> ProcRates::busiest() const {
  std::vector<std::pair<std::string, Counts>> all(by_name_.begin(), by_name_.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second.all() > b.second.all(); });
  std::erase_if(all, [](const auto& each) { return each.second.all() == 0; });
  if (all.size() > kNamesShown) all.resize(kNamesShown);
  return all;
}

std::string ProcRates::text(double seconds) {
  const auto a_second = [&](std::uint64_t count) { return static_cast<double>(count) / seconds; };
  const auto line = [&](const Counts& counts, const std::string& name) {
    return fmt::format("{:>9.1f} {:>9.1f} {:>9.1f}  {}\n", a_second(counts.forks), a_second(counts.execs),
                       a_second(counts.exits), name);
  };
  std::string all = fmt::format("{:>9} {:>9} {:>9}  Process\n", "fork/s", "exec/s", "exit/s") + line(total_, "all");
  for (const auto& [name, counts] : busiest()) all += line(counts, name.empty() ? "?" : name);
  if (lost_ > 0) all += fmt::format("{:>9} events lost\n", lost_);
  *this = {};
  return all;
}

std::string ProcRates::json(double seconds) {
  const auto object = [](const Counts& counts) {
    return nlohmann::ordered_json{{"forks", counts.forks}, {"execs", counts.execs}, {"exits", counts.exits}};
  };
  nlohmann::ordered_json all = {{"seconds", seconds}, {"lost", lost_}, {"all", object(total_)}};
  all["processes"] = nlohmann::ordered_json::object();
  for (const auto& [name, counts] : busiest()) all["processes"][name] = object(counts);
  *this = {};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace vif::tools
