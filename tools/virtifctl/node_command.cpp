// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/node_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "hypercall/linux_ports.hpp"
#include "netstack/inet/ip_address.hpp"
#include "tools/control/config_file.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/capture_print.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/end_on_signals.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/node_print.hpp"
#include "tools/virtifctl/node_words.hpp"

namespace vif::tools {
namespace {

constexpr std::string_view description(std::string_view object) {
  if (object == "link") return "The interfaces of a virtifd.";
  if (object == "maddr") return "The Ethernet groups its interfaces are in.";
  if (object == "addr") return "Their IP addresses.";
  if (object == "route") return "Its routes.";
  if (object == "port") return "The ports of its bridges.";
  if (object == "fdb") return "Who is behind which port of its bridges.";
  return "Its neighbours.";
}

bool is_v6(const Json& row) { return row.value("dst", std::string()).find(':') != std::string::npos; }

// The rows that have to do with IPv6, or with IPv4.
Json of_family(const Json& rows, bool v6) {
  const char* const family = v6 ? "inet6" : "inet";
  Json kept = Json::array();
  for (Json row : rows) {
    if (const auto addresses = row.find("addr_info"); addresses != row.end()) {
      const Json all = std::exchange(*addresses, Json::array());
      std::ranges::copy_if(all, std::back_inserter(*addresses),
                           [&](const Json& one) { return one["family"] == family; });
      if (addresses->empty()) continue;
    } else if (row.contains("family") ? row["family"] != family : is_v6(row) != v6) {
      continue;
    }
    kept.push_back(std::move(row));
  }
  return kept;
}

// Takes away what addr.add gave.
Status flush(DaemonClient& daemon, const Json& params) {
  const Result<Json> links = daemon.call("addr.show", params);
  if (!links) return links.error();
  for (const Json& address : (*links)[0]["addr_info"]) {
    if (address["protocol"] != "static") continue;
    const auto done = daemon.call("addr.del", {{"ifname", params["ifname"]}, {"local", address["local"]}});
    if (!done) return done.error();
  }
  return {};
}

// Of the routes in the order they are tried, the first that leads to `to`, which takes the place of its destination.
Result<Json> way_to(const std::string& to, const Json& routes) {
  const Result<net::inet::IpAddress> address = net::inet::IpAddress::parse(to);
  if (!address) return address.error();
  for (Json route : routes) {
    const std::string dst = route["dst"];
    const Result<net::inet::IpPrefix> network = net::inet::IpPrefix::parse(dst);
    const bool leads = network ? network->contains(*address) : (route["family"] == "inet") == address->is_v4();
    if (!leads) continue;
    route["dst"] = to;
    return Json::array({std::move(route)});
  }
  return fail(ENETUNREACH, "there is no route to " + to);
}

}  // namespace

NodeCommand::NodeCommand(CLI::App& app) : socket_(default_socket_path()) {
  for (const std::string_view object : node_objects()) {
    CLI::App& command = *app.add_subcommand(std::string(object), std::string(description(object)));
    command.allow_extras();
    command.footer("Commands (show, when none is given):\n" + node_usage(object));
    add_options(command);
    if (object == "link") command.add_flag("-s,--stats", stats_, "show counters, too");
    if (object == "link" || object == "addr") command.add_flag("--brief", brief_, "a line each, as ip -br does");
    if (object == "addr" || object == "route" || object == "neigh") {
      command.add_flag("-4", only4_, "IPv4 only");
      command.add_flag("-6", only6_, "IPv6 only");
    }
  }
  CLI::App& config =
      *app.add_subcommand("config", "Print all that is set at a virtifd, as JSON, or make it as a file says.");
  config.add_option("--apply", apply_,
                    "a file as `virtifctl config` prints it, - for standard input; what it leaves out "
                    "is taken away");
  config.add_option("show", shows_, "the same as without a word")->check(CLI::IsMember({"show"}));
  add_options(config);
  CLI::App& monitor =
      *app.add_subcommand("monitor", "Print what happens at a virtifd, as it happens, until interrupted.");
  monitor.add_flag("-t,--timestamp", times_, "say when, by this machine's clock");
  add_options(monitor);
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
    Result<Json> document = read_config(apply_);
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
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  if (parsed->action == "flush") {
    Status done = flush(*daemon, parsed->params);
    return done ? 0 : failed(done.error());
  }
  const bool shows = parsed->verb.ends_with(".show");
  if (stats_ && shows) parsed->params["stats"] = true;
  const Json to = parsed->action == "get" ? std::exchange(parsed->params, Json::object()) : Json();
  Result<Json> result = daemon->call(parsed->verb, parsed->params);
  if (!result && result.error().number() == EEXIST && parsed->action == "replace") return 0;
  if (!result) return failed(result.error());
  if (!to.is_null()) result = way_to(to.value("dst", std::string()), *result);
  if (!result) return failed(result.error());
  return shows ? print(object, *result) : 0;
}

int NodeCommand::print(const std::string& object, const Json& rows) const {
  const Json shown = only4_ == only6_ ? rows : of_family(rows, only6_);
  if (json_) fmt::print("{}\n", shown.dump(2));
  else if (brief_) print_brief(object, shown);
  else print_node(object, shown);
  return flushed();
}

int NodeCommand::monitor() {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error());
  if (const Result<Json> on = daemon->call("monitor", {{"on", true}}); !on) return failed(on.error());
  const EndOnSignals signals(daemon->fd());
  for (;;) {
    const Result<DaemonClient::Notification> heard = daemon->next();
    if (!heard) return signals.came() ? 0 : failed(heard.error());
    if (times_) fmt::print("{} ", time_of_day(host::LinuxClock().wall_ns()));
    if (json_) fmt::print("{}\n", Json{{heard->method, heard->params}}.dump());
    else print_notification(heard->method, heard->params);
    if (const int status = flushed(); status != 0) return status;
  }
}

}  // namespace vif::tools
