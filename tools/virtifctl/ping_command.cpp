// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ping_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "hypercall/signal_fd.hpp"
#include "netstack/inet/ip_address.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/number_check.hpp"

namespace vif::tools {
namespace {

constexpr int kNobody = 1, kNotSent = 2;  // as of ping(8)
constexpr std::size_t kUnderWayMax = 60;  // fewer than virtifd takes of one client

Time seconds(double s) { return Time(static_cast<std::int64_t>(s * 1e9)); }

}  // namespace

PingCommand::PingCommand(CLI::App& app) : socket_(default_socket_path()) {
  CLI::App& ping = *app.add_subcommand("ping", "Send echo requests from a virtifd, and say what comes back.");
  ping.add_option("ADDRESS", to_, "whom to ask; for a link-local address ADDRESS%INTERFACE, or -I")->required();
  ping.add_option("-c,--count", count_, "how many to send (default: until interrupted)")
      ->check(CLI::Range(1U, 1U << 31));
  ping.add_option("-i,--interval", interval_s_, "seconds between them")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 3600.0))
      ->check(number_check());
  ping.add_option("-s,--size", bytes_, "bytes of data in each")->capture_default_str()->check(CLI::Range(0U, 65'507U));
  ping.add_option("-I,--interface", interface_, "out of this one");
  ping.add_option("-W,--wait", wait_s_, "seconds to wait for each answer")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 60.0))
      ->check(number_check());
  ping.add_flag("-q,--quiet", quiet_, "print no line for each answer");
  CLI::Option* const only4 = ping.add_flag("-4", only4_, "ADDRESS is one of IPv4");
  ping.add_flag("-6", only6_, "ADDRESS is one of IPv6")->excludes(only4);
  ping.add_flag("-j,--json", json_, "print an object at the end instead");
  ping.add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
}

Status PingCommand::check_address() const {
  const Result<net::inet::IpAddress> address = net::inet::IpAddress::parse(to_);
  if (!address) return fail(EINVAL, address.error().text + "; names are not looked up");
  if (address->is_v4() ? only6_ : only4_) return fail(EINVAL, to_ + " is no address of " + (only6_ ? "IPv6" : "IPv4"));
  return {};
}

int PingCommand::run() {
  if (const std::size_t zone = to_.find('%'); zone != std::string::npos) {
    interface_ = to_.substr(zone + 1);
    to_.resize(zone);
  }
  if (Status fits = check_address(); !fits) return failed(fits.error(), kUsage);
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error().text, kNotSent);
  host::LinuxClock clock;
  PingReport report(to_, bytes_);
  const Time began = clock.now();
  const Status done = ping(*daemon, report);
  const Time took = clock.now() - began;
  if (!done && report.replies() == 0) return failed(done.error().text, kNotSent);
  if (!done) (void)failed(done.error().text);
  if (json_) fmt::print("{}\n", report.json(took).dump(2));
  else fmt::print("{}", report.statistics(took));
  if (const int status = flushed(kNotSent); status != 0) return status;
  if (!done) return kNotSent;
  return report.replies() > 0 ? 0 : kNobody;
}

Status PingCommand::send_next(DaemonClient& daemon, PingReport& report) {
  ++sequence_;
  Json params = {{"to", to_},
                 {"id", ::getpid() & 0xffff},
                 {"sequence", sequence_ & 0xffff},
                 {"bytes", bytes_},
                 {"timeout_ms", static_cast<std::uint64_t>(wait_s_ * 1e3)}};
  if (!interface_.empty()) params["dev"] = interface_;
  const Result<std::uint64_t> id = daemon.begin("ping", params);
  if (!id) return id.error();
  under_way_[*id] = sequence_;
  report.sent();
  return {};
}

Status PingCommand::take_answers(DaemonClient& daemon, PingReport& report) {
  for (;;) {
    Result<std::optional<DaemonClient::Answer>> answer = daemon.answer_if_any();
    if (!answer) return answer.error();
    if (!*answer) return {};
    const auto asked = under_way_.extract((*answer)->id);
    const Result<Json>& came = (*answer)->result;
    if (!came && came.error().number() == ETIMEDOUT) continue;
    if (!came && report.replies() == 0) return came.error();
    if (!came) {
      (void)failed(came.error().text);  // it may be mended yet
      continue;
    }
    PingReport::Reply reply{asked.empty() ? 0 : asked.mapped(), came->value("from", std::string()),
                            came->value("bytes", std::uint64_t{0}), came->value("ttl", std::uint64_t{0}),
                            Time(came->value("time_ns", std::int64_t{0}))};
    if (!json_ && !quiet_) fmt::print("{}\n", PingReport::line(reply));
    std::fflush(stdout);
    report.replied(std::move(reply));
  }
}

Status PingCommand::ping(DaemonClient& daemon, PingReport& report) {
  Result<host::SignalFd> signals = host::SignalFd::open({SIGINT, SIGTERM});
  if (!signals) return signals.error();
  if (!json_) fmt::print("{}\n", report.heading());
  std::fflush(stdout);
  host::LinuxClock clock;
  for (Time next = clock.now(); !count_ || sequence_ < *count_ || !under_way_.empty();) {
    const bool more = !count_ || sequence_ < *count_;
    if (more && clock.now() >= next) {
      next += seconds(interval_s_);
      // With as many under way as virtifd takes this one is not sent at all.
      if (under_way_.size() < kUnderWayMax) {
        if (Status sent = send_next(daemon, report); !sent) return sent;
      }
    }
    const std::optional<Time> left = more ? std::optional(next - clock.now()) : std::nullopt;
    const Result<host::Readable> ready = host::wait_readable({signals->fd(), daemon.fd(), -1}, left);
    if (!ready) return ready.error();
    if ((*ready)[0] && signals->take()) return {};
    if (Status taken = take_answers(daemon, report); !taken) return taken;
  }
  return {};
}

}  // namespace vif::tools
