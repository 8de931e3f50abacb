// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/trace/trace_node_command.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <iterator>
#include <sstream>

#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/number_check.hpp"

namespace vif::tools {
namespace {

void print_nothing(const Json&) {}

void print_groups(const Json& groups) {
  fmt::print("{:<20} {:<32} {:>6}    {:<6} {:>6}\n", "group", "system", "events", "limit", "owner");
  for (const Json& group : groups) {
    const std::string name = group.at("group");
    fmt::print("{:<20} {:<32} {:>6} of {:<6} {:>6} {}\n", name.empty() ? "(root)" : name,
               group.at("system").get<std::string>(), group.at("events").get<std::uint64_t>(),
               group.at("limit").get<std::uint64_t>(), group.at("owner").get<std::uint64_t>(),
               group.at("used").get<bool>() ? "used" : "");
  }
}

void print_group(const Json& group) { print_groups(Json::array({group})); }

void print_event_list(const Json& events) {
  for (const Json& event : events) {
    std::string fields;
    for (const Json& field : event.at("fields")) {
      fields += (fields.empty() ? "" : ", ") + field.at("type").get<std::string>() + ' ' +
                field.at("name").get<std::string>();
    }
    fmt::print("{:<20} {}{}\n", event.at("event").get<std::string>(), event.at("enabled").get<bool>() ? "* " : "",
               fields);
  }
}

void print_formats(const Json& events) {
  for (const Json& event : events) fmt::print("{}", event.at("format").get<std::string>());
}

void print_event(const Json& event) { print_event_list(Json::array({event})); }

void print_status(const Json& status) { fmt::print("{}", status.at("text").get<std::string>()); }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

TraceNodeCommand::TraceNodeCommand(CLI::App& trace, std::function<int()>& chosen)
    : chosen_(chosen), socket_(default_socket_path()) {
  add_live(trace);
  add_groups(trace);
  add_events(trace);
}

std::vector<std::string> TraceNodeCommand::patterns() const {
  std::istringstream text(joined(patterns_));
  std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
  if (words.empty() && !patterns_.empty()) words.emplace_back();  // which no event matches
  return words;
}

void TraceNodeCommand::add_socket(CLI::App& command) {
  command.add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
}

void TraceNodeCommand::add_duration(CLI::App& command) {
  command.add_option("--duration", duration_s_, "end after so many seconds; without it, when interrupted")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6))
      ->check(number_check());
}

void TraceNodeCommand::add_wish(CLI::App& command, Of of) {
  const bool has_command = of == Of::command;
  command
      .add_option("-e,--event", patterns_,
                  fmt::format("events, as in 'virtif:*' or 'virtif:rx_drop'; may be repeated (default: virtif:*{})",
                              has_command ? "; of a command all" : ""))
      ->type_name("PATTERN")
      ->expected(1)
      ->allow_extra_args(false)  // the next word is another's
      ->take_all();
  command.add_option("-f,--filter", filter_, "keep only what matches, as in 'reason == \"not_for_us\" && bytes > 60'")
      ->type_name("FILTER");
  command
      .add_option("-b,--buffer", buffer_kib_,
                  fmt::format("KiB for records of each thread that wait: 8 to 65536 (default 4096){}",
                              has_command ? ", of a command to 1048576 (default 65536)" : ""))
      ->type_name("KIB")
      ->check(CLI::Range(8, has_command ? 1024 * 1024 : 64 * 1024));
  command.add_flag("--overwrite", overwrite_,
                   of == Of::virtifd_until_disabled
                       ? "when the buffer is full lose the oldest records: so it is anyway"
                       : "when the buffer is full lose the oldest records, not the newest");
}

Json TraceNodeCommand::wish() const {
  Json params = Json::object();
  if (!patterns_.empty()) params["events"] = joined(patterns_);
  if (!filter_.empty()) params["filter"] = filter_;
  if (buffer_kib_) params["buffer_kib"] = *buffer_kib_;
  if (overwrite_) params["overwrite"] = true;
  return params;
}

int TraceNodeCommand::record(const std::string& output, const std::string& marker) const {
  TraceLiveJob job{
      .socket_path = socket_, .method = "trace.record", .params = wish(), .output = output, .marker = marker};
  if (!marker.empty()) job.params["follow"] = true;  // marks stand where something happens in the kernel
  if (duration_s_) job.duration = std::chrono::duration<double>(*duration_s_);
  return run_trace_live(job);
}

void TraceNodeCommand::add_live(CLI::App& trace) {
  CLI::App& stream = *trace.add_subcommand("stream", "Print a running virtifd's events as they happen.");
  add_wish(stream, Of::virtifd);
  add_duration(stream);
  add_socket(stream);
  stream.add_flag("-j,--json", json_, "print a JSON object a line");
  stream.callback([this] {
    chosen_ = [this] {
      TraceLiveJob job{.socket_path = socket_, .method = "trace.record", .params = wish(), .output = {}, .json = json_};
      job.params["follow"] = true;
      if (duration_s_) job.duration = std::chrono::duration<double>(*duration_s_);
      return run_trace_live(job);
    };
  });
  CLI::App& enable =
      *trace.add_subcommand("enable", "Record in virtifd until `disable`; the latest is kept for `extract`.");
  add_wish(enable, Of::virtifd_until_disabled);
  answer(
      enable, "trace.enable", [this] { return wish(); }, print_nothing);
  CLI::App& disable =
      *trace.add_subcommand("disable", "End what `enable` began; without -e of all events, and forget.");
  disable.add_option("-e,--event", patterns_, "only these events")
      ->type_name("PATTERN")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  answer(
      disable, "trace.disable", [this] { return wish(); }, print_nothing);
  CLI::App& extract =
      *trace.add_subcommand("extract", "Write what virtifd recorded since `enable`, or since the last time.");
  extract.add_option("-o,--output", output_, "the file to write")->type_name("FILE")->capture_default_str();
  add_socket(extract);
  extract.callback([this] {
    chosen_ = [this] {
      return run_trace_live(
          {.socket_path = socket_, .method = "trace.extract", .params = Json::object(), .output = output_});
    };
  });
  CLI::App& status =
      *trace.add_subcommand("status", "Which events of a group are recorded, as user_events_status says it.");
  status.add_option("GROUP", group_, "a group, as in virtif; none: the root");
  answer(
      status, "trace.status",
      [this] {
        return group_.empty() ? Json::object() : Json{{"group", group_}};
      },
      print_status);
}

void TraceNodeCommand::add_groups(CLI::App& trace) {
  CLI::App& group = *trace.add_subcommand("group", "Groups of events in virtifd: add, del, list, limit.");
  group.require_subcommand(1);
  const auto named = [this, &group](const char* name, const char* says) -> CLI::App& {
    CLI::App& command = *group.add_subcommand(name, says);
    command.add_option("GROUP", group_, "the group's name")->required();
    return command;
  };
  answer(
      named("add", "Make a group."), "trace.group.add",
      [this] {
        return Json{{"group", group_}};
      },
      print_group);
  answer(
      named("del", "Take a group away that nobody uses."), "trace.group.del",
      [this] {
        return Json{{"group", group_}};
      },
      print_nothing);
  CLI::App& limit = named("limit", "Say how many events a group may have.");
  limit.add_option("N", limit_, "1 to 32767")->required();
  answer(
      limit, "trace.group.limit",
      [this] {
        return Json{{"group", group_}, {"limit", limit_}};
      },
      print_group);
  answer(
      *group.add_subcommand("list", "The groups there are."), "trace.group.list", [] { return Json::object(); },
      print_groups);
}

void TraceNodeCommand::add_events(CLI::App& trace) {
  CLI::App& event = *trace.add_subcommand("event", "Events in virtifd: list, show, add, del.");
  event.require_subcommand(1);
  const auto events = [this] { return event_.empty() ? Json::object() : Json{{"events", event_}}; };
  CLI::App& list = *event.add_subcommand("list", "The events there are, * those that are recorded.");
  list.add_option("PATTERN", event_, "only these, as in 'virtif:*'");
  answer(list, "trace.event.list", events, print_event_list);
  CLI::App& show =
      *event.add_subcommand("show", "How their records are laid out, as the kernel's format files say it.");
  show.add_option("PATTERN", event_, "which, as in virtif:rx_drop")->required();
  answer(show, "trace.event.list", events, print_formats);
  const auto one = [this] { return Json{{"group", group_}, {"event", event_}}; };
  CLI::App& add = *event.add_subcommand("add", "Make an event in a group.");
  add.add_option("GROUP", group_, "the group's name")->required();
  add.add_option("EVENT", event_, "its name and fields, as in 'tick u32 n'")->required();
  answer(add, "trace.event.add", one, print_event);
  CLI::App& del = *event.add_subcommand("del", "Take an event away that nobody uses.");
  del.add_option("GROUP", group_, "the group's name")->required();
  del.add_option("EVENT", event_, "its name")->required();
  answer(del, "trace.event.del", one, print_nothing);
}

void TraceNodeCommand::answer(CLI::App& command, std::string method, std::function<Json()> params,
                              void (*print)(const Json&)) {
  add_socket(command);
  command.add_flag("-j,--json", json_, "print JSON, as virtifd says it");
  command.callback([this, method = std::move(method), params = std::move(params), print] {
    chosen_ = [this, method, params, print] { return call(method, params(), print); };
  });
}

int TraceNodeCommand::call(const std::string& method, const Json& params, void (*print)(const Json&)) const {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  const Result<Json> result = daemon->call(method, params);
  if (!result) return failed("trace: " + result.error().text, result.error().number() == EINVAL ? kUsage : kFailed);
  try {
    if (json_) fmt::print("{}\n", result->dump());
    else print(*result);
  } catch (const Json::exception&) {  // the only way to learn that something is missing
    return failed("this is no virtifd: an answer to " + method + " was expected");
  }
  return flushed();
}

}  // namespace vif::tools
