// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/proc_command.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/number_check.hpp"
#include "tools/virtifctl/proc_text.hpp"

namespace vif::tools {
namespace {

using Told = host::ProcClient::Told;

// At once, so that whoever reads has it when it happens. False: nobody does any more.
bool say(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

Result<cn::Mask> mask_of(const std::vector<std::string>& names, bool nonzero) {
  cn::Mask mask = 0;
  for (const std::string& name : names) {
    const std::optional<cn::Mask> named = cn::mask_named(name);
    if (!named) {
      return fail(EINVAL, "there are no '" + name +
                              "' events; there are fork, exec, uid, gid, sid, ptrace, comm, coredump, exit, "
                              "nonzero_exit and all");
    }
    mask |= *named;
  }
  if (nonzero) mask = (mask & ~cn::bit(cn::What::exit)) | cn::bit(cn::What::nonzero_exit);
  return mask == 0 ? cn::kMaskAll : mask;
}

}  // namespace

ProcCommand::ProcCommand(CLI::App& app) : socket_(default_socket_path()) {
  CLI::App& proc = *app.add_subcommand("proc", "Process events of a virtifd that was started with --proc.");
  proc.require_subcommand(1);
  CLI::App& listen = *proc.add_subcommand("listen", "Print what processes do, as it happens, until interrupted.");
  listen.add_option("--events", events_, "which, as exec,exit; all when none are named")->delimiter(',');
  listen.add_flag("--nonzero", nonzero_, "of exits, those that are no success");
  CLI::Option* const pid = listen.add_option("--pid", pid_, "of this process only");
  listen.add_option("--tree", tree_, "of this process and its descendants only")->excludes(pid);
  listen.add_option("-n,--count", count_, "end after so many events");
  CLI::App& tree = *proc.add_subcommand("tree", "Print the processes that live, under their parents.");
  CLI::App& top = *proc.add_subcommand("top", "Print how many forks, execs and exits there are a second, and whose.");
  top.add_option("-i,--interval", interval_s_, "seconds")
      ->check(CLI::Range(0.05, 3600.0))
      ->check(number_check())
      ->capture_default_str();
  top.add_option("-n,--count", count_, "end after so many tables");
  CLI::App& notify = *proc.add_subcommand("notify", "Register the code that a thread's exit is told with.");
  notify.add_option("code", code_, "0 to 4294967295");
  notify.add_option("--tid", tid_, "the thread, where one's own is not meant: root may name any");
  notify.add_flag("--withdraw", withdraw_, "take it back");
  for (CLI::App* const command : {&listen, &tree, &top, &notify}) add_options(*command);
}

void ProcCommand::add_options(CLI::App& command) {
  command.add_option("--socket", socket_, "where virtifd listens for virtifctl")->capture_default_str();
  command.add_flag("-j,--json", json_, "print JSON, a line each");
  command.callback([this, &command] { asked_ = &command; });
}

int ProcCommand::run() {
  const Result<cn::Mask> mask = mask_of(events_, nonzero_);
  if (!mask) return failed(mask.error(), kUsage);
  Result<host::ProcClient> client = host::ProcClient::connect(proc_socket_path(socket_));
  if (!client) return failed(client.error());
  const std::string name = asked_->get_name();
  if (name == "notify") return notify(*client);
  cn::Request request{.mask = *mask, .wishes = {.tgid = pid_, .tree = tree_, .extended = true}};
  if (name == "top") request.mask = cn::bit(cn::What::fork) | cn::bit(cn::What::exec) | cn::bit(cn::What::exit);
  // For people, forks say how long who ends has lived.
  const bool tells_exits = (*mask & (cn::bit(cn::What::exit) | cn::bit(cn::What::nonzero_exit))) != 0;
  if (name == "listen" && !json_ && tells_exits) request.mask |= cn::bit(cn::What::fork);
  // Nobody is debugged often: what is asked for is the tasks.
  if (name == "tree") request.mask = cn::bit(cn::What::ptrace);
  if (Status asked = client->ask(request); !asked) return failed(asked.error());
  if (name == "listen") return listen(*client, *mask);
  return name == "tree" ? tree(*client) : top(*client);
}

int ProcCommand::listen(host::ProcClient& client, cn::Mask wanted) {
  host::LinuxClock clock;
  ProcLives lives;
  if (!json_ && !say(kProcListenHeader)) return kFailed;
  for (std::uint64_t told_count = 0; count_ == 0 || told_count < count_;) {
    const Result<Told> told = client.next();
    if (!told) return failed(told.error());
    const std::optional<std::uint64_t> lived_ns = lives.see(told->event);
    if (told->event.what == cn::What::fork && (wanted & cn::bit(cn::What::fork)) == 0) continue;
    const auto now_ns = static_cast<std::uint64_t>(clock.now().count());
    const std::string line =
        json_ ? proc_json(*told) : proc_line(*told, {now_ns, clock.wall_ns() / 1'000'000'000, lived_ns});
    if (!say(line)) return kFailed;
    ++told_count;
  }
  return 0;
}

int ProcCommand::tree(host::ProcClient& client) {
  if (Status asked = client.ask({.op = cn::Op::resync}); !asked) return failed(asked.error());
  std::vector<Told> tasks;
  for (;;) {
    const Result<Told> told = client.next();
    if (!told) return failed(told.error());
    if (told->event.what == cn::What::lost) {
      return failed(fail(ENOBUFS, "there are more processes than virtifd has room to tell of at once: try again"));
    }
    if (told->event.what == cn::What::resynced) break;
    if (told->event.what == cn::What::task) tasks.push_back(*told);
  }
  if (!json_) return say(proc_tree_text(tasks)) ? 0 : kFailed;
  for (const Told& task : tasks) {
    if (!say(proc_json(task))) return kFailed;
  }
  return 0;
}

int ProcCommand::top(host::ProcClient& client) {
  host::LinuxClock clock;
  ProcRates rates;
  Time began = clock.now();
  const Time interval(static_cast<std::int64_t>(interval_s_ * 1e9));
  for (std::uint64_t shown = 0; count_ == 0 || shown < count_;) {
    const Time passed = clock.now() - began;
    if (passed >= interval) {
      const double seconds = static_cast<double>(passed.count()) / 1e9;
      if (!say(json_ ? rates.json(seconds) : rates.text(seconds))) return kFailed;
      began = clock.now();
      ++shown;
      continue;
    }
    pollfd waiting{client.fd(), POLLIN, 0};
    const auto left_ms = static_cast<int>((interval - passed).count() / 1'000'000 + 1);
    if (client.waits() && ::poll(&waiting, 1, left_ms) <= 0) continue;
    const Result<Told> told = client.next();
    if (!told) return failed(told.error());
    rates.add(*told);
  }
  return 0;
}

int ProcCommand::notify(host::ProcClient& client) {
  const Status asked = client.ask(
      {.op = cn::Op::notify, .notify_flags = withdraw_ ? cn::kNotifyWithdraws : 0, .code = code_, .tid = tid_});
  return asked ? 0 : failed(asked.error());
}

}  // namespace vif::tools
