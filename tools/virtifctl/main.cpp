// SPDX-License-Identifier: BSD-2-Clause
// virtifctl: parses, calls the verb, prints. Exit status: 0 done, 1 something failed (results are still printed), 2
// usage; `ping` has ping(8)'s, `run` its program's.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "tools/virtifctl/bridge_command.hpp"
#include "tools/virtifctl/capture_command.hpp"
#include "tools/virtifctl/dump_command.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/extcap_command.hpp"
#include "tools/virtifctl/fwu/fwu_command.hpp"
#include "tools/virtifctl/ifconfig_command.hpp"
#include "tools/virtifctl/ip_words.hpp"
#include "tools/virtifctl/node_command.hpp"
#include "tools/virtifctl/ping_command.hpp"
#include "tools/virtifctl/proc_command.hpp"
#include "tools/virtifctl/replay_command.hpp"
#include "tools/virtifctl/run_command.hpp"
#include "tools/virtifctl/show_command.hpp"
#include "tools/virtifctl/top_command.hpp"
#include "tools/virtifctl/trace/trace_command.hpp"

#ifndef VIF_VERSION
#error "meson defines VIF_VERSION"
#endif

namespace {

using namespace vif::tools;
using Words = std::vector<std::string>;  // behind the program's name

// `recorder`: of the command, which is one that has interfaces in this process; null: nobody.
int run(Words words, TraceRecorder* recorder = nullptr);
int run_recorded(const Words& words, TraceRecorder& recorder) { return run(words, &recorder); }

// The one command that was said, in `app`.
template <class Command>
int run_as(CLI::App& app, const Words& words, [[maybe_unused]] TraceRecorder* recorder) {
  Command command(app);
  try {
    app.parse(Words(words.rbegin(), words.rend()));  // takes them from the back
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? app.exit(error) : misused(words[0].c_str(), error.what());  // 0: help
  }
  if constexpr (requires { command.run(recorder); }) return command.run(recorder);
  else if constexpr (requires { command.run(run_recorded); }) return command.run(run_recorded);
  else return command.run();
}

struct Named {
  std::string_view name;
  int (*run)(CLI::App& app, const Words& words, TraceRecorder* recorder);
};
constexpr std::array kCommands = {Named{"bridge", run_as<BridgeCommand>}, Named{"capture", run_as<CaptureCommand>},
                                  Named{"dump", run_as<DumpCommand>},     Named{"extcap", run_as<ExtcapCommand>},
                                  Named{"fwu", run_as<FwuCommand>},       Named{"ifconfig", run_as<IfconfigCommand>},
                                  Named{"link", run_as<NodeCommand>},     Named{"maddr", run_as<NodeCommand>},
                                  Named{"addr", run_as<NodeCommand>},     Named{"route", run_as<NodeCommand>},
                                  Named{"neigh", run_as<NodeCommand>},    Named{"port", run_as<NodeCommand>},
                                  Named{"fdb", run_as<NodeCommand>},      Named{"config", run_as<NodeCommand>},
                                  Named{"monitor", run_as<NodeCommand>},  Named{"ping", run_as<PingCommand>},
                                  Named{"proc", run_as<ProcCommand>},     Named{"replay", run_as<ReplayCommand>},
                                  Named{"run", run_as<RunCommand>},       Named{"show", run_as<ShowCommand>},
                                  Named{"top", run_as<TopCommand>},       Named{"trace", run_as<TraceCommand>}};

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const Named& command : kCommands) all.push_back(command.name);
  return all;
}

// All of them at once: that is what --help speaks of.
template <class Command, class... Others>
std::string help_of(CLI::App& app) {
  const Command command(app);
  if constexpr (sizeof...(Others) == 0) return app.help();
  else return help_of<Others...>(app);
}

std::string help(CLI::App& app) {
  return help_of<BridgeCommand, CaptureCommand, DumpCommand, ExtcapCommand, FwuCommand, IfconfigCommand, NodeCommand,
                 PingCommand, ProcCommand, ReplayCommand, RunCommand, ShowCommand, TopCommand, TraceCommand>(app);
}

// bridge(8) has these behind `bridge`, where we have link strings.
void take_as_of_bridge(Words& words) {
  if (words.size() < 2 || words[0] != "bridge") return;
  if (words[1] == "show") words[0] = "port";
  else if (words[1] == "link") words[1] = "port", words.erase(words.begin());
  else if (words[1] == "fdb") words.erase(words.begin());
}

// Wireshark says no command before its questions.
void take_as_of_wireshark(Words& words) {
  if (!words.empty() && ExtcapCommand::asks(words[0])) words.insert(words.begin(), "extcap");
}

// Where virtifd is may be said before what it is to do.
void take_socket_behind_command(Words& words) {
  constexpr std::string_view kOption = "--socket", kWithValue = "--socket=";
  if (!words.empty() && words[0].starts_with(kWithValue)) {
    const std::string path = words[0].substr(kWithValue.size());
    words[0] = kOption;
    words.insert(words.begin() + 1, path);
  }
  if (words.size() <= 2 || words[0] != kOption) return;
  std::rotate(words.begin(), words.begin() + 2, std::find(words.begin() + 2, words.end(), "--"));
}

int unknown(const std::string& word) {
  const std::string more = "; `virtifctl --help` says what there is";
  if (word.starts_with('-'))
    return failed("no command, but the option '" + word + "': options go behind it" + more, kUsage);
  const std::string_view near = meant(word, names());
  const std::string hint = near.empty() ? "" : ": did you mean " + std::string(near) + "?";
  return failed("unknown command '" + word + "'" + (near.empty() ? more : hint), kUsage);
}

int run(Words words, TraceRecorder* recorder) {
  take_socket_behind_command(words);
  take_as_of_bridge(words);
  take_as_of_wireshark(words);
  words = as_of_ip(std::move(words), names());
  CLI::App app("Virtual Ethernet interfaces in user space.", "virtifctl");
  app.set_version_flag("--version", "virtifctl " VIF_VERSION);
  app.require_subcommand(1);
  if (words.empty() || words[0] == "-h" || words[0] == "--help") {
    std::fputs(help(app).c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? kUsage : flushed();
  }
  if (words[0] == "--version") {
    std::puts("virtifctl " VIF_VERSION);
    return flushed();
  }
  for (const Named& command : kCommands) {
    if (words[0] == command.name) return command.run(app, words, recorder);
  }
  return unknown(words[0]);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + std::min(argc, 1), argv + argc});
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}
