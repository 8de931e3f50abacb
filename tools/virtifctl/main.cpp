// SPDX-License-Identifier: BSD-2-Clause
// virtifctl: parses, calls the verb, prints. Exit status: 0 done, 1 something failed (results are still printed), 2
// usage; `ping` has ping(8)'s, `run` its program's.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "tools/virtifctl/bridge_command.hpp"
#include "tools/virtifctl/capture_command.hpp"
#include "tools/virtifctl/dump_command.hpp"
#include "tools/virtifctl/extcap_command.hpp"
#include "tools/virtifctl/fwu/fwu_command.hpp"
#include "tools/virtifctl/ifconfig_command.hpp"
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

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// 0, or kUsage with what is wrong with the first word said: CLI11 would look for a command in the words behind it.
int check_command(const CLI::App& app, std::string_view word) {
  std::string known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (word == command->get_name()) return 0;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  if (word.empty() || word == "-h" || word == "--help" || word == "--version") return 0;
  if (word.front() == '-') {
    std::fprintf(stderr, "virtifctl: options go behind the command; known are %s\n", known.c_str());
  } else {
    std::fprintf(stderr, "virtifctl: unknown command '%.*s': known are %s\n", static_cast<int>(word.size()),
                 word.data(), known.c_str());
  }
  return kUsage;
}

// bridge(8) has these behind `bridge`, where we have link strings.
void take_as_of_bridge(std::vector<const char*>& words) {
  if (words.size() < 3 || std::string_view(words[1]) != "bridge") return;
  const std::string_view word(words[2]);
  if (word == "show") words[1] = "port";
  else if (word == "link") words[2] = "port", words.erase(words.begin() + 1);
  else if (word == "fdb") words.erase(words.begin() + 1);
}

// Wireshark says no command before its questions.
void take_as_of_wireshark(std::vector<const char*>& words) {
  if (words.size() > 1 && vif::tools::ExtcapCommand::asks(words[1])) words.insert(words.begin() + 1, "extcap");
}

// `recorder`: of the command, which is one that has interfaces in this process; null: nobody.
int run(std::vector<const char*> words, vif::tools::TraceRecorder* recorder = nullptr);

int run_recorded(const std::vector<std::string>& words, vif::tools::TraceRecorder& recorder) {
  std::vector<const char*> all = {"virtifctl"};
  for (const std::string& word : words) all.push_back(word.c_str());
  return run(std::move(all), &recorder);
}

int run(std::vector<const char*> words, vif::tools::TraceRecorder* recorder) {
  take_as_of_bridge(words);
  take_as_of_wireshark(words);
  const auto argc = static_cast<int>(words.size());
  const char* const* const argv = words.data();
  CLI::App app("Virtual Ethernet interfaces in user space.", "virtifctl");
  app.set_version_flag("--version", "virtifctl " VIF_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  vif::tools::BridgeCommand bridge(app);
  vif::tools::CaptureCommand capture(app);
  vif::tools::DumpCommand dump(app);
  vif::tools::ExtcapCommand extcap(app);
  vif::tools::FwuCommand fwu(app);
  vif::tools::IfconfigCommand ifconfig(app);
  vif::tools::NodeCommand node(app);
  vif::tools::PingCommand ping(app);
  vif::tools::ProcCommand proc(app);
  vif::tools::ReplayCommand replay(app);
  vif::tools::RunCommand run_command(app);
  vif::tools::ShowCommand show(app);
  vif::tools::TopCommand top(app);
  vif::tools::TraceCommand trace(app);
  if (const int status = check_command(app, argc > 1 ? argv[1] : ""); status != 0) return status;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;  // 0: help or version
  }
  if (node.is_asked()) return node.run();
  if (app.got_subcommand("bridge")) return bridge.run(recorder);
  if (app.got_subcommand("capture")) return capture.run();
  if (app.got_subcommand("dump")) return dump.run();
  if (app.got_subcommand("extcap")) return extcap.run();
  if (app.got_subcommand("fwu")) return fwu.run();
  if (app.got_subcommand("ifconfig")) return ifconfig.run();
  if (app.got_subcommand("ping")) return ping.run();
  if (app.got_subcommand("proc")) return proc.run();
  if (app.got_subcommand("run")) return run_command.run();
  if (app.got_subcommand("top")) return top.run();
  if (app.got_subcommand("trace")) return trace.run(run_recorded);
  return app.got_subcommand("show") ? show.run() : replay.run(recorder);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "virtifctl: %s\n", error.what());
    return kFailed;
  }
}
