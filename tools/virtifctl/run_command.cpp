// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/run_command.hpp"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "hypercall/signal_fd.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/room_network.hpp"

namespace vif::tools {
namespace {

using net::inet::IpAddress;
using net::inet::IpPrefix;

int not_begun(const Error& error) { return failed(error, Room::kFailed); }

bool is_among(const std::vector<IpPrefix>& prefixes, const IpAddress& address) {
  return std::ranges::find(prefixes, address, &IpPrefix::address) != prefixes.end();
}

// The first host of a network that is none of `own`, which may be the lowest address of a network of two (RFC 3021,
// RFC 6164). nullopt: there is none.
std::optional<IpAddress> first_other(const IpPrefix& network, const std::vector<IpPrefix>& own) {
  IpAddress address = network.address;
  const bool is_pair = address.bits() - network.bits == 1;
  for (std::size_t tried = 0; tried <= own.size() + 1; ++tried) {
    const bool is_host = (tried > 0 || is_pair) && network.contains(address) && network.broadcast() != address;
    if (is_host && !is_among(own, address)) return address;
    ++address.octets.back();
  }
  return std::nullopt;
}

// One in each network.
std::vector<IpAddress> gateways_for(const std::vector<IpPrefix>& own) {
  std::vector<IpPrefix> networks;
  std::vector<IpAddress> gateways;
  for (const IpPrefix& prefix : own) {
    if (std::ranges::find(networks, prefix.network()) != networks.end()) continue;
    networks.push_back(prefix.network());
    if (const std::optional<IpAddress> other = first_other(prefix.network(), own)) gateways.push_back(*other);
  }
  return gateways;
}

Result<IpPrefix> parse_address(const std::string& text) {
  const Result<IpPrefix> prefix = IpPrefix::parse(text);
  if (!prefix) return fail(EINVAL, "--address: " + prefix.error().text);
  if (text.find('/') != std::string::npos) return prefix;
  return fail(EINVAL,
              fmt::format("--address {} needs a length, as in {}", text, prefix->address.is_v4() ? "/24" : "/64"));
}

// The exit status that the child has left; nullopt: it runs.
std::optional<int> ended(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

// Moves frames and hands on signals until the program ends.
Result<int> accompany(const Room& room, RoomNetwork& network, host::SignalFd& signals) {
  for (;;) {
    network.poll();
    const Result<host::Readable> ready = host::wait_readable({signals.fd(), network.fd(), -1}, network.time_left());
    if (!ready) return ready.error();
    while (const std::optional<host::SignalFd::Came> came = (*ready)[0] ? signals.take() : std::nullopt) {
      // What the terminal sends went to the program as well.
      if (came->signal != SIGCHLD && !came->from_kernel) ::kill(room.pid(), came->signal);
    }
    if (!(*ready)[0]) continue;
    if (const std::optional<int> status = ended(room.pid())) return *status;
  }
}

}  // namespace

RunCommand::RunCommand(CLI::App& app) {
  CLI::App& run = *app.add_subcommand("run", "Run a program behind a virtual interface, without being root.");
  run.add_option("COMMAND", words_, "behind --: the program and its arguments")->required();
  run.add_option("--linkstr", linkstr_, "what its eth0 is connected to; without it, to an IP stack at the gateway");
  run.add_option("--address", addresses_, "ADDRESS/LENGTH of its eth0; 192.0.2.2/24 when there is no --linkstr either")
      ->expected(1)
      ->allow_extra_args(false)  // the next word is another's
      ->take_all();
  run.add_option("--gateway", gateways_,
                 "where its default route leads; without --linkstr the first other address of its network")
      ->expected(1)
      ->allow_extra_args(false)  // the next word is another's
      ->take_all();
  run.footer(
      "In a user and network namespace of its own the program is root, and has lo and eth0. As in\n"
      "  virtifctl run -- ping -c 1 192.0.2.1\n"
      "  virtifctl run --linkstr shm:/lan --address 192.0.2.7/24 -- python3 -m http.server\n"
      "The exit status is the program's, 128 + N when signal N ended it; 125 it was not begun, 126 or 127 it could "
      "not\n"
      "be run or found.");
}

Result<RoomPlan> RunCommand::plan() const {
  RoomPlan plan{.addresses = {}, .gateways = {}, .words = words_};
  for (const std::string& text : addresses_) {
    const Result<IpPrefix> prefix = parse_address(text);
    if (!prefix) return prefix.error();
    plan.addresses.push_back(*prefix);
  }
  if (plan.addresses.empty() && linkstr_.empty()) plan.addresses.push_back({IpAddress::v4(192, 0, 2, 2), 24});
  for (const std::string& text : gateways_) {
    const Result<IpAddress> gateway = IpAddress::parse(text);
    if (!gateway) return fail(EINVAL, "--gateway: " + gateway.error().text);
    if (is_among(plan.addresses, *gateway)) {
      return fail(EINVAL, "--gateway " + text + " is the program's own address: name another of its network");
    }
    plan.gateways.push_back(*gateway);
  }
  if (gateways_.empty() && linkstr_.empty()) plan.gateways = gateways_for(plan.addresses);
  return plan;
}

int RunCommand::run() {
  const Result<RoomPlan> asked = plan();
  if (!asked) return failed(asked.error(), kUsage);
  Result<host::SignalFd> signals = host::SignalFd::open({SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
  if (!signals) return not_begun(signals.error());
  Result<Room> room = Room::open(*asked, signals->mask_before());
  if (!room) return not_begun(room.error());
  Result<std::unique_ptr<RoomNetwork>> network = RoomNetwork::open(room->take_place(), *asked, linkstr_);
  if (!network) return not_begun(network.error());
  if (Status entered = room->enter(); !entered) (void)not_begun(entered.error());
  const Result<int> status = accompany(*room, **network, *signals);
  return status ? *status : not_begun(status.error());
}

}  // namespace vif::tools
