// SPDX-License-Identifier: BSD-2-Clause
// virtifctl: parses, calls the verb, prints. Exit status: 0 done, 1 something failed (results are still printed), 2
// usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tools/virtifctl/bridge_command.hpp"
#include "tools/virtifctl/dump_command.hpp"
#include "tools/virtifctl/node_command.hpp"
#include "tools/virtifctl/replay_command.hpp"
#include "tools/virtifctl/show_command.hpp"

#ifndef VIF_VERSION
#error "meson defines VIF_VERSION"
#endif

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int run(int argc, char** argv) {
  CLI::App app("Virtual Ethernet interfaces in user space.", "virtifctl");
  app.set_version_flag("--version", "virtifctl " VIF_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  vif::tools::BridgeCommand bridge(app);
  vif::tools::DumpCommand dump(app);
  vif::tools::NodeCommand node(app);
  vif::tools::ReplayCommand replay(app);
  vif::tools::ShowCommand show(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool unknown = argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty();
    if (unknown)
      std::fprintf(
          stderr,
          "virtifctl: unknown command '%s': known are addr, bridge, config, dump, link, maddr, monitor, neigh, replay, "
          "route, show\n",
          argv[1]);
    return app.exit(error) == 0 ? 0 : kUsage;  // 0: help or version
  }
  if (node.is_asked()) return node.run();
  if (app.got_subcommand("bridge")) return bridge.run();
  if (app.got_subcommand("dump")) return dump.run();
  return app.got_subcommand("show") ? show.run() : replay.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "virtifctl: %s\n", error.what());
    return kFailed;
  }
}
