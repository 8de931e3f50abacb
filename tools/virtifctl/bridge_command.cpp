// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/bridge_command.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "hypercall/host/bridge.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"

namespace vif::tools {
namespace {

constexpr int kFailed = 1;
int failed(const std::string& text) {
  fmt::print(stderr, "virtifctl: {}\n", text);
  return kFailed;
}

void print_text(const std::vector<host::BridgedLinks::Port>& ports) {
  fmt::print("{:<8}{:<28}{:>12}{:>12}{:>12}  not passed on\n", "port", "link", "in", "out", "flooded");
  for (const host::BridgedLinks::Port& port : ports) {
    const net::IfData data = port.ifp.counters.read();
    std::string rest;
    for (std::size_t i = 2; i < net::kBridgeFates; ++i) {
      if (port.bridged.fates[i] != 0) rest += fmt::format("{} {} ", port.bridged.fates[i], net::kBridgeFateNames[i]);
    }
    for (std::size_t i = 0; i < kDropReasons; ++i) {
      if (data.drops[i] != 0) rest += fmt::format("{} {} ", data.drops[i], kDropReasonNames[i]);
    }
    if (!rest.empty()) rest.pop_back();
    fmt::print("{:<8}{:<28}{:>12}{:>12}{:>12}  {}\n", port.ifp.name(), port.linkstr, data.ipackets, data.opackets,
               port.bridged.count(net::BridgeFate::flooded), rest);
  }
}

void print_json(const std::vector<host::BridgedLinks::Port>& ports) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const host::BridgedLinks::Port& port : ports) {
    const net::IfData data = port.ifp.counters.read();
    nlohmann::ordered_json row = {{"port", port.ifp.name()},
                                  {"link", port.linkstr},
                                  {"in", data.ipackets},
                                  {"out", data.opackets},
                                  {"probes", port.bridged.probes},
                                  {"flood_copies_failed", port.bridged.flood_copies_failed},
                                  {"times_blocked", port.bridged.times_blocked}};
    for (std::size_t i = 0; i < net::kBridgeFates; ++i) {
      row["bridged"][std::string(net::kBridgeFateNames[i])] = port.bridged.fates[i];
    }
    for (std::size_t i = 0; i < kDropReasons; ++i) row["dropped"][std::string(kDropReasonNames[i])] = data.drops[i];
    rows.push_back(row);
  }
  fmt::print("{}\n", rows.dump(2));
}

}  // namespace

BridgeCommand::BridgeCommand(CLI::App& app) {
  CLI::App& bridge = *app.add_subcommand("bridge", "Switch frames between links until interrupted.");
  bridge.add_option("LINKSTR", linkstrs_, "two or more link strings, as in tap:t0 mem:lan0")
      ->required()
      ->expected(2, 64);
  bridge.add_flag("-j,--json", json_, "print a JSON array at the end, an object a port");
}

int BridgeCommand::run() {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(**loop);
  host::Runner runner(**loop);
  if (Status signals = runner.stop_on_signals(); !signals) return failed(signals.error().text);
  Result<std::unique_ptr<host::BridgedLinks>> links =
      host::BridgedLinks::open(linkstrs_, (*loop)->domain(), interfaces);
  if (!links) return failed(links.error().text);
  fmt::print(stderr, "virtifctl: bridging {} links; interrupt to end\n", linkstrs_.size());
  const Status ran = runner.run();
  json_ ? print_json((*links)->ports()) : print_text((*links)->ports());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return failed("the result could not be written to the end");
  return ran ? 0 : failed(ran.error().text);
}

}  // namespace vif::tools
