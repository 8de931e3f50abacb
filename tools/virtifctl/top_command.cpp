// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/top_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "hypercall/host_error.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifctl/exit_status.hpp"
#include "tools/virtifctl/number_check.hpp"

namespace vif::tools {
namespace {

constexpr std::size_t kPlainColumns = 80, kManyLines = 100'000;
constexpr char kQuit = 'q';

}  // namespace

TopCommand::TopCommand(CLI::App& app) : socket_(default_socket_path()) {
  CLI::App& top = *app.add_subcommand("top", "Watch what the interfaces of a virtifd move.");
  top.add_option("-n,--count", count_, "how often to show it (default: until told to end)")
      ->check(CLI::Range(1U, 1U << 31));
  top.add_option("-i,--interval", interval_s_, "seconds in between")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 3600.0))
      ->check(number_check());
  top.add_option("-o,--order", order_, "the largest first by b bits, p packets, r received, t sent, d drops, or n name")
      ->capture_default_str()
      ->check(CLI::IsMember({"b", "p", "r", "t", "d", "n"}));
  top.add_flag("-j,--json", json_, "print an object a line");
  top.add_option("--socket", socket_, "where virtifd listens")->capture_default_str();
  top.footer("On a terminal the same letters change the order, and q ends it.");
}

int TopCommand::run() {
  table_.order_by(order_[0]);
  Result<DaemonClient> daemon = DaemonClient::connect(socket_);
  if (!daemon) return failed(daemon.error().text);
  Result<host::SignalFd> signals = host::SignalFd::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH});
  if (!signals) return failed(signals.error().text);
  std::optional<Screen> screen;
  if (!json_ && !count_) {  // what is shown so often is there to be kept
    if (Result<Screen> opened = Screen::open(); opened) screen.emplace(std::move(*opened));
  }
  const Result<int> status = watch(*daemon, *signals, screen);
  screen.reset();
  return status ? *status : failed(status.error().text);
}

Result<int> TopCommand::watch(DaemonClient& daemon, host::SignalFd& signals, std::optional<Screen>& screen) {
  const Time interval(static_cast<std::int64_t>(interval_s_ * 1e9));
  for (Time next = clock_.now(); !count_ || shown_ < *count_;) {
    if (!asked_ && clock_.now() >= next) {
      next = std::max(next + interval, clock_.now());
      asked_ = true;
      if (const auto begun = daemon.begin("link.show", {{"stats", true}}); !begun) return begun.error();
    }
    const int keys = screen && has_keys_ ? screen->keys_fd() : -1;
    const std::optional<Time> left = asked_ ? std::nullopt : std::optional(next - clock_.now());
    const Result<host::Readable> ready = host::wait_readable({signals.fd(), daemon.fd(), keys}, left);
    if (!ready) return ready.error();
    const auto [signalled, answered, pressed] = *ready;
    while (const std::optional<host::SignalFd::Came> came = signalled ? signals.take() : std::nullopt) {
      if (const std::optional<int> end = hear(came->signal, screen)) return *end;
    }
    if (pressed && press(*screen) == Went::over) return 0;
    if (answered) {
      if (Status taken = take_answer(daemon, screen); !taken) return taken.error();
    }
  }
  return 0;
}

std::optional<int> TopCommand::hear(int signal, std::optional<Screen>& screen) {
  if (signal == SIGINT) return 0;
  if (signal != SIGTSTP && signal != SIGWINCH) return kSignalled + signal;
  if (signal == SIGTSTP) {
    if (screen) screen->leave();
    ::kill(::getpid(), SIGSTOP);  // until somebody continues us
    if (screen) screen->enter();
  }
  if (screen) draw(*screen);
  return std::nullopt;
}

TopCommand::Went TopCommand::press(Screen& screen) {
  const std::optional<char> key = screen.key();
  if (!key) has_keys_ = false;  // the terminal has gone; SIGHUP says so
  if (key == kQuit) return Went::over;
  if (key) table_.order_by(*key);
  draw(screen);
  return Went::on;
}

Status TopCommand::take_answer(DaemonClient& daemon, std::optional<Screen>& screen) {
  Result<std::optional<DaemonClient::Answer>> answer = daemon.answer_if_any();
  if (!answer) return answer.error();
  if (!*answer) return {};
  asked_ = false;
  const Result<Json>& links = (*answer)->result;
  if (!links) return links.error();
  table_.sample(*links, clock_.now());
  if (screen) draw(*screen);
  else if (table_.has_rates()) {
    if (Status printed = print(); !printed) return printed;
  }
  if (table_.has_rates()) ++shown_;
  return {};
}

void TopCommand::draw(Screen& screen) const {
  if (!table_.has_rows()) return;  // virtifd has not answered yet
  const Screen::Size size = Screen::size();
  const std::size_t shown = table_.rows().size();
  std::vector<std::string> page = {
      fmt::format("q quits; {} interface{} at {}, by {}", shown, shown == 1 ? "" : "s", socket_, table_.order_text())};
  page[0].resize(std::min(page[0].size(), size.columns));
  for (std::string& line : table_.text(size.columns, std::max<std::size_t>(size.lines, 2) - 1)) {
    page.push_back(std::move(line));
  }
  screen.draw(page, 1);
}

Status TopCommand::print() const {
  if (json_) {
    fmt::print("{}\n", table_.json().dump());
  } else {
    if (shown_ > 0) fmt::print("\n");
    for (const std::string& line : table_.text(kPlainColumns, kManyLines)) fmt::print("{}\n", line);
  }
  return std::fflush(stdout) == 0 ? Status() : host::host_error("writing to standard output");
}

}  // namespace vif::tools
