// SPDX-License-Identifier: BSD-2-Clause
// virtifd: a node behind a socket. Exit status: 0 it was asked to stop, 1 it could not start or the host failed, 2
// usage.
#include <grp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tools/virtifd/control_server.hpp"
#include "tools/virtifd/node_config.hpp"
#include "tools/virtifd/service_state.hpp"

namespace {

using namespace vif;

constexpr int kFailed = 1, kUsage = 2;

int failed(const std::string& text) {
  std::fprintf(stderr, "virtifd: %s\n", text.c_str());
  return kFailed;
}

struct Options {
  std::string socket = tools::default_socket_path();
  std::string group, config, state;
  bool forwarding = false;
};

Result<std::optional<gid_t>> group_id(const std::string& name) {
  if (name.empty()) return std::optional<gid_t>();
  if (const group* found = ::getgrnam(name.c_str()); found != nullptr) return std::optional(found->gr_gid);
  return fail(EINVAL, "--allow-group: there is no group '" + name + "'");
}

// What it was left with, where that is kept; else what the operator wrote.
Status begin(host::Node& node, const Options& options) {
  const bool kept = !options.state.empty() && ::access(options.state.c_str(), F_OK) == 0;
  const std::string& from = kept ? options.state : options.config;
  if (!from.empty()) {
    if (Status loaded = tools::load_config(node, from); !loaded) return loaded;
  }
  return options.state.empty() ? Status() : tools::save_config(node, options.state);  // a wrong path shows at once
}

int serve(const Options& options) {
  const Result<std::optional<gid_t>> group = group_id(options.group);
  if (!group) return failed(group.error().text);
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  host::Instance instance({clock, files});
  host::Node node(instance.attach(**loop), {.ip6 = true, .forwarding = options.forwarding});
  host::Runner runner(**loop);
  if (Status signals = runner.stop_on_signals(); !signals) return failed(signals.error().text);

  Result<tools::ControlSocket> socket = tools::ControlSocket::listen(options.socket, *group);
  if (!socket) return failed(socket.error().text);
  if (Status begun = begin(node, options); !begun) return failed(begun.error().text);
  const auto server = tools::ControlServer::start(
      std::move(*socket), node, {.group = *group, .config_path = options.config, .state_path = options.state});
  if (!server) return failed(server.error().text);
  std::fprintf(stderr, "virtifd: listening at %s\n", options.socket.c_str());
  tools::tell_service_manager("READY=1");
  const Status ran = runner.run();
  tools::tell_service_manager("STOPPING=1");
  return ran ? 0 : failed(ran.error().text);
}

int run(int argc, char** argv) {
  CLI::App app("Hosts virtual Ethernet interfaces, and serves virtifctl.", "virtifd");
  Options options;
  app.set_version_flag("--version", "virtifd " VIF_VERSION);
  app.failure_message(CLI::FailureMessage::simple);
  app.add_option("--socket", options.socket, "where virtifctl finds it")->capture_default_str();
  app.add_option("--allow-group", options.group,
                 "a group whose members may speak to it, besides root and its own user");
  app.add_option("--config", options.config,
                 "a JSON file of what to begin with, as `virtifctl config` prints it; read again on SIGHUP");
  app.add_option("--state", options.state,
                 "a file that follows what is set while it runs; begun with instead of --config when it is there");
  app.add_flag("--forwarding", options.forwarding, "pass IP packets from interface to interface");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return serve(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}
