// SPDX-License-Identifier: BSD-2-Clause
// Runs a program, a stack on virtual interfaces say, in a child process, and starts it again when a signal ends it: a
// crash takes down the child alone. A pidfd tells surely that it has ended; the kernel's process events, where there
// are any, tell how: which thread dumped core, and which ended with a code before.
// Build: c++ -std=c++20 supervisor.cpp $(pkg-config --cflags --libs virtif-connector)
// Run: ./a.out ./embed tap:t0 192.0.2.1
#include <hypercall/connector/proc_source.hpp>

#include <poll.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

using namespace vif;
using namespace std::chrono_literals;

constexpr Time kPauseMin = 100ms, kPauseMax = 10s, kLivedWell = 10s;

class Clock final : public ClockPort {
 public:
  Time now() override { return std::chrono::steady_clock::now().time_since_epoch(); }
  std::int64_t wall_ns() override {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }
};

class Supervisor {
 public:
  Supervisor(cn::Bus& bus, host::ProcSource& source) : bus_(bus), source_(source), listener_(bus) {
    (void)listener_.join(cn::kProcId.idx);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &inherited_);
    signals_ = host::UniqueFd(::signalfd(-1, &ends, SFD_CLOEXEC));
  }

  // Until the program ends by itself, whose status is returned, or we are told to.
  Result<int> run(char** command) {
    for (Time pause = kPauseMin;;) {
      const Time began = clock_.now();
      if (Status started = start(command); !started) return started.error();
      const int status = await_end();
      if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
      if (asked_to_end_) return 0;
      pause = clock_.now() - began > kLivedWell ? kPauseMin : std::min(2 * pause, kPauseMax);
      std::printf("%d crashed (signal %d%s): it is started again\n", child_, WTERMSIG(status),
                  WCOREDUMP(status) ? ", core dumped" : "");
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  Status start(char** command) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &inherited_);
    const int error = ::posix_spawnp(&child_, command[0], nullptr, &attributes, command, environ);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return fail(error, std::string("cannot run ") + command[0]);
    pidfd_ = host::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    if (!pidfd_) return fail(errno, "this kernel has no pidfd (Linux 5.3)");
    std::printf("running: %d\n", child_);
    const auto listen = cn::write_request({.mask = cn::bit(cn::What::coredump) | cn::bit(cn::What::nonzero_exit),
                                           .wishes = {.tgid = child_, .extended = true}});
    bus_.receive({.id = cn::kProcId, .payload = listen}, {.subscriber = &listener_});
    return source_.add_child(child_);
  }

  int await_end() {
    for (;;) {
      pollfd waits[] = {{pidfd_.get(), POLLIN, 0}, {source_.fd(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
      (void)::poll(waits, 3, -1);
      (void)source_.drain();
      tell();
      int status = 0;
      if (waits[0].revents != 0 && ::waitpid(child_, &status, 0) == child_) return status;
      if (waits[2].revents == 0) continue;
      signalfd_siginfo heard;
      (void)!::read(signals_.get(), &heard, sizeof heard);
      asked_to_end_ = true;
      ::kill(child_, SIGTERM);
    }
  }

  void tell() {
    for (;;) {
      const auto next = listener_.ring().read();
      if (std::holds_alternative<std::monostate>(next)) return;
      const auto* const record = std::get_if<cn::Record>(&next);
      const auto message = record != nullptr ? cn::read_message(record->bytes) : std::nullopt;
      const auto event = message ? cn::read_proc_event(message->payload) : std::nullopt;
      if (!event || event->what == cn::What::none) continue;
      if (event->what == cn::What::coredump) std::printf("%d: thread %d dumps core\n", event->tgid, event->pid);
      else if (event->pid != event->tgid)
        std::printf("%d: thread %d ends: 0x%x\n", event->tgid, event->pid, event->exit_code);
    }
  }

  cn::Bus& bus_;
  host::ProcSource& source_;
  cn::Subscriber listener_;
  Clock clock_;
  host::UniqueFd pidfd_, signals_;
  sigset_t inherited_{};
  pid_t child_ = 0;
  bool asked_to_end_ = false;
};

Result<int> supervise(char** command) {
  Clock clock;
  cn::Bus bus;
  auto proc = cn::ProcConnector::attach(bus, clock, {});
  if (!proc) return proc.error();
  auto source = host::ProcSource::open(**proc);
  if (!source) return source.error();
  const Error* const refusal = (*source)->refusal();
  std::printf("%s\n", refusal == nullptr ? "hearing the kernel's process events" : refusal->text.c_str());
  return Supervisor(bus, **source).run(command);
}

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s PROGRAM [ARGUMENT...]\n", argv[0]), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const Result<int> status = supervise(argv + 1);
  if (!status) std::fprintf(stderr, "%s\n", status.error().text.c_str());
  return status ? *status : 1;
}
