// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/show_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "hypercall/loop.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/show_print.hpp"

namespace vif::tools {
namespace {

std::string known_schemes() {
  host::LinuxClock clock;
  host::LinuxFiles files;
  return host::Instance({clock, files}).schemes().schemes();
}

}  // namespace

ShowCommand::ShowCommand(CLI::App& app) {
  CLI::App& show = *app.add_subcommand("show", "Open links and say what each would be, bringing nothing up.");
  show.add_option("LINKSTR", linkstrs_, "a link string, as in mem:lan0; its scheme is one of " + known_schemes())
      ->required();
  show.add_flag("-j,--json", json_, "print a JSON array, an object a link");
}

int ShowCommand::run() {
  host::LinuxClock clock;
  host::LinuxRandom random;
  host::LinuxFiles files;
  Result<std::unique_ptr<host::Loop>> loop = host::Loop::create(clock, random, {});
  if (!loop) return failed(loop.error().text);
  host::Instance instance({clock, files});
  net::IfCloneTable& interfaces = instance.attach(**loop);

  std::vector<OpenedLink> links;
  for (const std::string& linkstr : linkstrs_) links.push_back({linkstr, host::show(linkstr, interfaces)});
  json_ ? print_json(links) : print_text(links);
  if (const int status = flushed(); status != 0) return status;
  const bool all = std::all_of(links.begin(), links.end(), [](const OpenedLink& opened) { return bool(opened.link); });
  return all ? 0 : kFailed;
}

}  // namespace vif::tools
