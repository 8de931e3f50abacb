// SPDX-License-Identifier: BSD-2-Clause
// Speaks in Wireshark's sentences: a word and {key=value} behind it, a line each. Standard error is for failures only:
// Wireshark puts it into a window.
#include "tools/virtifctl/extcap_command.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "hypercall/bpf_compile.hpp"
#include "hypercall/linux_ports.hpp"
#include "hypercall/unique_fd.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/capture_run.hpp"
#include "tools/virtifctl/daemon_client.hpp"
#include "tools/virtifctl/exit_status.hpp"

namespace vif::tools {
namespace {

constexpr std::string_view kPrefix = "virtif-";  // a host's interface may be called virt0, too
constexpr std::string_view kSystemSocket = "/run/virtif.sock";

// As the value of a key: no brace ends it, no newline the sentence.
std::string value_of(std::string text) {
  for (char& letter : text) {
    if (letter == '{' || letter == '}' || static_cast<unsigned char>(letter) < ' ') letter = '_';
  }
  return text;
}

}  // namespace

ExtcapCommand::ExtcapCommand(CLI::App& app) {
  CLI::App& extcap =
      *app.add_subcommand("extcap", "Answer Wireshark, which runs this to capture on a virtifd's interfaces.");
  extcap.add_flag("--extcap-interfaces", list_, "list the interfaces");
  extcap.add_option("--extcap-interface", interface_, "speak of this one, as it was listed");
  extcap.add_flag("--extcap-dlts", dlts_, "say what kind of frames it has");
  extcap.add_flag("--extcap-config", config_, "say what can be chosen");
  extcap.add_flag("--capture", capture_, "write its frames to --fifo, until terminated");
  extcap.add_option("--fifo", fifo_, "where to write");
  extcap.add_option("--extcap-capture-filter", filter_, "only these frames; without --capture: check this filter");
  extcap.add_option("--extcap-version", version_, "Wireshark's");
  extcap.add_option("--dir", dir_, "frames of which direction")->check(CLI::IsMember({"both", "in", "out"}));
  extcap.add_option("--snaplen", snaplen_, "keep so many bytes of each frame");
  extcap.add_option("--socket", socket_, "where virtifd listens (default: your own's, else the system's)");
}

int ExtcapCommand::run() {
  if (list_) return list();
  if (interface_.empty())
    return failed("extcap: --extcap-interfaces, or --extcap-interface and a question, was expected", kUsage);
  if (dlts_) {
    fmt::print("dlt {{number={}}}{{name=EN10MB}}{{display=Ethernet}}\n", net::kLinkTypeEthernet);
    return 0;
  }
  if (config_) return config();
  return capture_ ? capture() : check_filter();
}

// The first that somebody listens at.
Result<std::string> ExtcapCommand::socket_path() const {
  if (!socket_.empty()) return socket_;
  const std::string own = default_socket_path();
  Result<host::UniqueFd> there = connect_to(own);
  if (there) return own;
  if (connect_to(std::string(kSystemSocket))) return std::string(kSystemSocket);
  return there.error();
}

// Without a virtifd there are none, and that is no failure: Wireshark asks whenever it starts.
int ExtcapCommand::list() const {
  fmt::print("extcap {{version={}}}{{display=virtif}}\n", VIF_VERSION);
  const Result<std::string> path = socket_path();
  if (!path) return 0;
  Result<DaemonClient> daemon = DaemonClient::connect(*path);
  if (!daemon) return 0;
  const Result<Json> links = daemon->call("link.show", Json::object());
  if (!links) return failed(links.error().text);
  for (const Json& link : *links) {
    const std::string name = link.value("ifname", std::string());
    const Json linkstr = link.value("virtif", Json::object()).value("linkstr", Json());
    fmt::print("interface {{value={}{}}}{{display=virtif {}: {}}}\n", kPrefix, name, name,
               linkstr.is_string() ? value_of(linkstr) : "no link");
  }
  return 0;
}

int ExtcapCommand::config() const {
  fmt::print(
      "arg {{number=0}}{{call=--dir}}{{display=Direction}}{{type=selector}}{{tooltip=Seen from inside virtifd}}\n"
      "value {{arg=0}}{{value=both}}{{display=In and out}}{{default=true}}\n"
      "value {{arg=0}}{{value=in}}{{display=In}}\n"
      "value {{arg=0}}{{value=out}}{{display=Out}}\n"
      "arg {{number=1}}{{call=--snaplen}}{{display=Bytes kept of each frame}}{{type=unsigned}}{{range=1,{0}}}"
      "{{default={0}}}\n",
      host::kCaptureBodyBytesMax);
  return 0;
}

// Wireshark shows what is printed; nothing: it is fine.
int ExtcapCommand::check_filter() const {
  const Result<net::BpfProgram> compiled = host::compile_filter(filter_);
  if (compiled) return 0;
  fmt::print("{}\n", compiled.error().text);
  return kFailed;
}

int ExtcapCommand::capture() const {
  if (fifo_.empty()) return failed("extcap: --capture needs --fifo: where to write", kUsage);
  const Result<std::string> path = socket_path();
  if (!path) return failed(path.error().text);
  const std::string ifname = interface_.starts_with(kPrefix) ? interface_.substr(kPrefix.size()) : interface_;
  CaptureJob job{.socket_path = *path,
                 .params = {{"ifnames", {ifname}}},
                 .filter = filter_,
                 .path = fifo_,
                 .ring = {},
                 .frames_max = {}};
  if (dir_ != "both") job.params["dir"] = dir_;
  if (snaplen_) job.params["snaplen"] = *snaplen_;
  host::LinuxFiles files;
  Result<CaptureRun> run = CaptureRun::begin(job, files);
  if (!run) {
    // Wireshark waits for somebody to write, whatever we exit with.
    const host::UniqueFd nothing_comes(::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC));
    return failed(run.error().text);
  }
  const Status ran = run->run();
  return ran ? 0 : failed(ran.error().text);
}

}  // namespace vif::tools
