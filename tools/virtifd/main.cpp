// SPDX-License-Identifier: BSD-2-Clause
// virtifd: a node behind a socket. Exit status: 0 it was asked to stop, 1 it could not start or the host failed, 2
// usage.
#include <grp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include "hypercall/connector/exit_notice.hpp"
#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/run.hpp"
#include "tools/virtifd/control_server.hpp"
#include "tools/virtifd/node_config.hpp"
#include "tools/virtifd/privileges.hpp"
#include "tools/virtifd/proc_server.hpp"
#include "tools/virtifd/service_state.hpp"
#include "tools/virtifd/trace_service.hpp"
#include "tools/virtifd/workers.hpp"

namespace {

using namespace vif;

constexpr int kFailed = 1, kUsage = 2;
constexpr auto kBusyPause = std::chrono::milliseconds(20), kBusyMax = std::chrono::milliseconds(5000);

int failed(const std::string& text) {
  std::fprintf(stderr, "virtifd: %s\n", text.c_str());
  return kFailed;
}

struct Options {
  std::string socket = tools::default_socket_path();
  std::string group, config, state, metrics, user, trace_dir;
  bool metrics_anywhere = false, keep_net_admin = false, forwarding = false, proc = false, restart_workers = false;
};

// What it is reached by.
struct Doors {
  std::optional<tools::ControlSocket> control;
  std::optional<tools::MetricsListener> metrics;
  std::optional<tools::ControlSocket> proc;
  std::optional<gid_t> group;  // whose members may come in, too
};

Result<std::optional<gid_t>> group_id(const std::string& name) {
  if (name.empty()) return std::optional<gid_t>();
  if (const group* found = ::getgrnam(name.c_str()); found != nullptr) return std::optional(found->gr_gid);
  return fail(EINVAL, "--allow-group: there is no group '" + name + "'");
}

// What a service manager handed over comes before what the options say.
Status take_handed(Doors& doors) {
  Result<std::vector<tools::HandedSocket>> handed = tools::take_handed_sockets();
  if (!handed) return handed.error();
  for (tools::HandedSocket& socket : *handed) {
    const bool is_metrics = socket.name == "metrics";
    if (is_metrics ? doors.metrics.has_value() : doors.control.has_value()) {
      return fail(EINVAL, "two sockets were handed over for " + std::string(is_metrics ? "metrics" : "virtifctl") +
                              ": one is named `metrics` (FileDescriptorName=), one anything else");
    }
    if (is_metrics) {
      Result<tools::MetricsListener> adopted = tools::adopt_for_metrics(std::move(socket.fd));
      if (!adopted) return adopted.error();
      doors.metrics.emplace(std::move(*adopted));
    } else {
      Result<tools::ControlSocket> adopted = tools::ControlSocket::adopt(std::move(socket.fd));
      if (!adopted) return adopted.error();
      doors.control.emplace(std::move(*adopted));
    }
  }
  return {};
}

Result<Doors> open_doors(const Options& options) {
  const Result<std::optional<gid_t>> named = group_id(options.group);
  if (!named) return named.error();
  const std::optional<gid_t> group = *named;
  Doors doors{.control = {}, .metrics = {}, .proc = {}, .group = group};
  if (Status taken = take_handed(doors); !taken) return taken.error();
  if (!doors.control) {
    Result<tools::ControlSocket> socket = tools::ControlSocket::listen(options.socket, group);
    if (!socket) return socket.error();
    doors.control.emplace(std::move(*socket));
  }
  if (!doors.metrics && !options.metrics.empty()) {
    const auto reach = options.metrics_anywhere ? tools::MetricsReach::anywhere : tools::MetricsReach::this_machine;
    Result<tools::MetricsListener> listener = tools::listen_for_metrics(options.metrics, reach, group);
    if (!listener) return listener.error();
    doors.metrics.emplace(std::move(*listener));
  }
  if (options.proc) {
    Result<tools::ControlSocket> socket =
        tools::ControlSocket::listen(tools::proc_socket_path(options.socket), group, SOCK_SEQPACKET);
    if (!socket) return socket.error();
    doors.proc.emplace(std::move(*socket));
  }
  return doors;
}

Status drop_privileges(const Options& options, const Doors& doors) {
  if (options.user.empty()) return {};
  if (::geteuid() != 0) return fail(EPERM, "--user needs root, who alone can become somebody else: leave it out");
  const Result<tools::Identity> identity = tools::find_identity(options.user);
  if (!identity) return identity.error();
  if (Status given = doors.control->give_to(identity->uid); !given) return given;
  if (doors.proc) {
    if (Status given = doors.proc->give_to(identity->uid); !given) return given;
  }
  if (doors.metrics && doors.metrics->file) {
    if (Status given = doors.metrics->file->give_to(identity->uid); !given) return given;
  }
  return tools::become(*identity, options.keep_net_admin ? tools::Keep::net_admin : tools::Keep::nothing);
}

// What a killed virtifd had open, the kernel takes away in its own time: some of it when its lock is free long since.
Status load(host::Node& node, const std::string& path) {
  Status loaded = tools::load_config(node, path);
  for (auto waited = kBusyPause; !loaded && loaded.error().number() == EBUSY && waited < kBusyMax;
       waited += kBusyPause) {
    std::this_thread::sleep_for(kBusyPause);
    loaded = tools::load_config(node, path);
  }
  return loaded;
}

// Begins with what it was left with, where that is kept; else with what the operator wrote.
Status begin(host::Node& node, const Options& options, const Doors& doors) {
  const bool kept = !options.state.empty() && ::access(options.state.c_str(), F_OK) == 0;
  const std::string& from = kept ? options.state : options.config;
  if (!from.empty()) {
    if (Status loaded = load(node, from); !loaded) return loaded;
  }
  if (Status dropped = drop_privileges(options, doors); !dropped) return dropped;
  return options.state.empty() ? Status() : tools::save_config(node, options.state);  // a wrong path shows at once
}

// Serves until it is asked to stop.
Status run(std::unique_ptr<host::Runner> runner, host::Loop& loop, host::Node& node, const Options& options,
           Doors doors) {
  const Result<std::unique_ptr<cn::ExitCodes>> codes = host::make_exit_codes();
  if (!codes) return codes.error();
  const auto trace = tools::TraceService::open(loop.domain(), options.trace_dir);
  if (!trace) return trace.error();
  tools::Workers workers(loop, node, **codes, (*trace)->own(),
                         options.restart_workers ? tools::Workers::AtEnd::restart : tools::Workers::AtEnd::stop);
  const std::string at = doors.control->path(), metrics_at = doors.metrics ? doors.metrics->shown : "";
  const auto server = tools::ControlServer::start(
      {std::move(*doors.control), std::move(doors.metrics)}, loop, node, workers,
      {.group = doors.group, .config_path = options.config, .state_path = options.state, .trace = **trace});
  if (!server) return server.error();
  std::unique_ptr<tools::ProcServer> proc;
  if (doors.proc) {
    auto started =
        tools::ProcServer::start(std::move(*doors.proc), doors.group, workers, **codes, (*trace)->of_processes());
    if (!started) return started.error();
    proc = std::move(*started);
  }
  std::fprintf(stderr, "virtifd: listening at %s\n", at.c_str());
  if (!metrics_at.empty()) std::fprintf(stderr, "virtifd: metrics at %s\n", metrics_at.c_str());
  tools::tell_service_manager("READY=1");
  const Status ran = workers.run_node(std::move(runner));
  tools::tell_service_manager("STOPPING=1");
  return ran;
}

int serve(const Options& options) {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  host::Instance instance({clock, files});
  host::Node node(instance.attach(**loop), instance.schemes(), {.ip6 = true, .forwarding = options.forwarding});
  auto runner = std::make_unique<host::Runner>(**loop);
  if (Status signals = runner->stop_on_signals(); !signals) return failed(signals.error().text);

  Result<Doors> doors = open_doors(options);
  if (!doors) return failed(doors.error().text);
  if (Status begun = begin(node, options, *doors); !begun) return failed(begun.error().text);
  const Status ran = run(std::move(runner), **loop, node, options, std::move(*doors));
  return ran ? 0 : failed(ran.error().text);
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--socket", options.socket, "where virtifctl finds it")->capture_default_str();
  app.add_option("--allow-group", options.group,
                 "a group whose members may speak to it, besides root and its own user");
  app.add_option("--config", options.config,
                 "a JSON file of what to begin with, as `virtifctl config` prints it; read again on SIGHUP");
  app.add_option("--state", options.state,
                 "a file that follows what is set while it runs; begun with instead of --config when it is there");
  app.add_option("--metrics", options.metrics,
                 "where to serve metrics (OpenMetrics, GET /metrics): ADDRESS:PORT of this machine, or unix:PATH");
  app.add_flag("--metrics-anywhere", options.metrics_anywhere, "let --metrics have an address that others can reach")
      ->needs("--metrics");
  app.add_option("--user", options.user,
                 "USER or USER:GROUP to become, for good, once what --config or --state says is open");
  app.add_flag("--keep-net-admin", options.keep_net_admin,
               "with --user: keep CAP_NET_ADMIN and CAP_NET_RAW, to open TAPs and interfaces later")
      ->needs("--user");
  app.add_flag("--proc", options.proc, "tell `virtifctl proc` of this host's process events, at SOCKET.proc");
  app.add_option("--trace-dir", options.trace_dir,
                 "a folder for what `virtifctl trace enable` records, so that `trace salvage` finds it after a crash");
  app.add_flag("--restart-workers", options.restart_workers,
               "start a thread of its own again that fails, instead of ending; `virtifctl monitor` tells of it");
  app.add_flag("--forwarding", options.forwarding, "pass IP packets from interface to interface");
}

int parse_and_serve(int argc, char** argv) {
  CLI::App app("Hosts virtual Ethernet interfaces, and serves virtifctl.", "virtifd");
  Options options;
  app.set_version_flag("--version", "virtifd " VIF_VERSION);
  app.failure_message(CLI::FailureMessage::simple);
  add_options(app, options);
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
    return parse_and_serve(argc, argv);
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}
