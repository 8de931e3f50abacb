// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/node_command.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/node_print.hpp"
#include "tools/virtifctl/node_words.hpp"
#include "tools/virtifd/control_socket.hpp"
#include "tools/virtifd/node_config.hpp"

namespace vif::tools {
namespace {

constexpr int kFailed = 1, kUsage = 2;

int failed(const Error& error, int status = kFailed) {
  fmt::print(stderr, "virtifctl: {}\n", error.text);
  return status;
}

int flushed() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  return failed(fail(EIO, "the result could not be written to the end"));
}

constexpr std::string_view description(std::string_view object) {
  if (object == "link") return "The interfaces of a virtifd.";
  if (object == "maddr") return "The Ethernet groups its interfaces are in.";
  if (object == "addr") return "Their IP addresses.";
  if (object == "route") return "Its routes.";
  if (object == "port") return "The ports of its bridges.";
  if (object == "fdb") return "Who is behind which port of its bridges.";
  return "Its neighbours.";
}

}  // namespace

NodeCommand::NodeCommand(CLI::App& app) : socket_(default_socket_path()) {
  for (const std::string_view object : node_objects()) {
    CLI::App& command = *app.add_subcommand(std::string(object), std::string(description(object)));
    command.allow_extras();
    command.footer("Commands (show, when none is given):\n" + node_usage(object));
    add_options(command);
    if (object == "link") command.add_flag("-s,--stats", stats_, "show counters, too");
  }
  CLI::App& config =
      *app.add_subcommand("config", "Print all that is set at a virtifd, as JSON, or make it as a file says.");
  config.add_option("--apply", apply_,
                    "a file as `virtifctl config` prints it, - for standard input; what it leaves out "
                    "is taken away");
  config.add_option("show", shows_, "the same as without a word")->check(CLI::IsMember({"show"}));
  add_options(config);
  add_options(*app.add_subcommand("monitor", "Print what happens at a virtifd, as it happens, until interrupted."));
}

void NodeCommand::add_options(CLI::App& command) {
  command.add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
  command.add_flag("-j,--json", json_, "print JSON, with keys of ip -j");
  command.callback([this, &command] { asked_ = &command; });
}

int NodeCommand::run() {
  if (asked_->get_name() == "monitor") return monitor();
  return asked_->get_name() == "config" ? config() : call();
}

int NodeCommand::config() {
  Json params = Json::object();
  if (!apply_.empty()) {
    Result<Json> document = read_config(apply_ == "-" ? "/dev/stdin" : apply_);
    if (!document) return failed(document.error());
    params["config"] = std::move(*document);
  }
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  const Result<Json> result = daemon->call(apply_.empty() ? "config.show" : "config.apply", params);
  if (!result) return failed(result.error());
  if (apply_.empty()) fmt::print("{}\n", result->dump(2));
  return flushed();
}

int NodeCommand::call() {
  const std::string object = asked_->get_name();
  Result<NodeCall> parsed = parse_node_words(object, asked_->remaining());
  if (!parsed) return failed(parsed.error(), kUsage);
  const bool shows = parsed->verb.ends_with(".show");
  if (stats_ && shows) parsed->params["stats"] = true;
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  const Result<Json> result = daemon->call(parsed->verb, parsed->params);
  if (!result) return failed(result.error());
  if (json_ && shows) fmt::print("{}\n", result->dump(2));
  else if (shows) print_node(object, *result);
  return flushed();
}

int NodeCommand::monitor() {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  if (const Result<Json> on = daemon->call("monitor", {{"on", true}}); !on) return failed(on.error());
  for (;;) {
    const Result<DaemonClient::Notification> heard = daemon->next();
    if (!heard) return failed(heard.error());
    if (json_) fmt::print("{}\n", Json{{heard->method, heard->params}}.dump());
    else print_notification(heard->method, heard->params);
    if (const int status = flushed(); status != 0) return status;
  }
}

}  // namespace vif::tools
