// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ifconfig_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/ifconfig_words.hpp"

namespace vif::tools {
namespace {

// The first IPv4 address that was set, as in 192.0.2.1/24; empty: none.
Result<std::string> first_address(DaemonClient& daemon, const Json& ifname) {
  const Result<Json> links = daemon.call("addr.show", {{"ifname", ifname}});
  if (!links) return links.error();
  for (const Json& address : links->at(0).value("addr_info", Json::array())) {
    if (address.value("family", "") != "inet" || address.value("protocol", "") != "static") continue;
    return fmt::format("{}/{}", address.value("local", ""), address.value("prefixlen", 0));
  }
  return std::string();
}

Status carry_out(DaemonClient& daemon, const IfconfigCall& call) {
  std::string old;
  if (call.replaces) {
    Result<std::string> found = first_address(daemon, call.params["ifname"]);
    if (!found) return found.error();
    old = std::move(*found);
  }
  const auto& local = call.params.value("local", std::string());
  if (!old.empty() && old == local) return {};
  const bool is_same = old.substr(0, old.find('/')) == local.substr(0, local.find('/'));
  const Json gone = {{"ifname", call.params["ifname"]}, {"local", old}};
  // The old one goes first only where it must: else it stays when the new one cannot be had.
  if (!old.empty() && is_same) {
    if (const Result<Json> done = daemon.call("addr.del", gone); !done) return done.error();
  }
  if (const Result<Json> done = daemon.call(call.verb, call.params); !done) return done.error();
  if (!old.empty() && !is_same) {
    if (const Result<Json> done = daemon.call("addr.del", gone); !done) return done.error();
  }
  return {};
}

}  // namespace

IfconfigCommand::IfconfigCommand(CLI::App& app) : socket_(default_socket_path()) {
  command_ = app.add_subcommand("ifconfig", "The interfaces of a virtifd, in BSD's language.");
  command_->prefix_command();  // as words like -linkstr are no options
  command_->add_flag("-a", all_, "show all interfaces, as without any word");
  command_->add_flag("-l", names_, "their names only");
  command_->add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
  command_->footer("Behind an interface, or nothing to show it:\n" + ifconfig_usage());
}

int IfconfigCommand::run() {
  std::vector<std::string> words = command_->remaining();
  if (const auto at = std::ranges::find(words, "--socket"); at != words.end() && at + 1 != words.end()) {
    socket_ = *(at + 1);
    words.erase(at, at + 2);
  }
  const Result<std::vector<IfconfigCall>> calls = parse_ifconfig_words(words);
  if (!calls) return failed(calls.error().text, kUsage);
  if (calls->empty()) return show(words.empty() || all_ ? "" : words[0]);
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error().text);
  for (const IfconfigCall& call : *calls) {
    if (Status done = carry_out(*daemon, call); !done) return failed(done.error().text);
  }
  return 0;
}

int IfconfigCommand::show(const std::string& ifname) {
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error().text);
  const Result<Json> links = daemon->call("addr.show", ifname.empty() ? Json::object() : Json{{"ifname", ifname}});
  if (!links) return failed(links.error().text);
  std::string names;
  for (const Json& link : *links) names += (names.empty() ? "" : " ") + link.value("ifname", std::string());
  fmt::print("{}", names_ ? names + "\n" : ifconfig_text(*links));
  if (const int status = flushed(); status != 0) return status;
  return 0;
}

}  // namespace vif::tools
