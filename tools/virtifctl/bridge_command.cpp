// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/bridge_command.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tools/virtifctl/bridge_print.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/trace/trace_recorder.hpp"

namespace vif::tools {
BridgeCommand::BridgeCommand(CLI::App& app) {
  CLI::App& bridge = *app.add_subcommand("bridge", "Switch frames between links until interrupted.");
  options_.add_to(bridge);
  bridge.add_flag("--stations", stations_, "print at the end who was where, too");
  bridge.add_flag("-j,--json", json_, "print JSON at the end: an object with the ports, and the stations if asked for");
}

int BridgeCommand::run(TraceRecorder* recorder) {
  const Result<host::BridgeRequest> request = options_.request();
  if (!request) return misused("bridge", request.error().text);
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  const auto recorded = record_domain(recorder, (*loop)->domain());
  if (!recorded) return failed(recorded.error().text);
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(**loop);
  host::Runner runner(**loop);
  if (Status signals = runner.stop_on_signals(); !signals) return failed(signals.error().text);
  Result<std::unique_ptr<host::BridgedLinks>> links = host::BridgedLinks::open(*request, (*loop)->domain(), interfaces);
  if (!links) return failed(links.error().text);
  fmt::print(stderr, "virtifctl: bridging {} links; interrupt to end\n", request->links.size());
  const Status ran = runner.run();
  json_ ? print_json(**links, stations_) : print_text(**links, stations_);
  if (const int status = flushed(); status != 0) return status;
  return ran ? 0 : failed(ran.error().text);
}

}  // namespace vif::tools
