// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/signal_fd.hpp"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<SignalFd> SignalFd::open(std::initializer_list<int> signals) {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : signals) ::sigaddset(&wanted, signal);
  UniqueFd fd(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return host_error("cannot wait for signals");
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
  return SignalFd(std::move(fd), before);
}

SignalFd::~SignalFd() {
  if (fd_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<SignalFd::Came> SignalFd::take() {
  signalfd_siginfo came;
  if (::read(fd_.get(), &came, sizeof came) != static_cast<ssize_t>(sizeof came)) return std::nullopt;
  return Came{static_cast<int>(came.ssi_signo), came.ssi_code > 0};  // sigaction(2): SI_KERNEL and CLD_* are
}

Result<Readable> wait_readable(const Fds& fds, std::optional<Time> timeout) {
  std::array<pollfd, 3> polled{};
  for (std::size_t i = 0; i < fds.size(); ++i) polled[i] = {fds[i], POLLIN, 0};
  timespec until{};
  if (timeout) {
    const auto left = std::max(timeout->count(), std::int64_t{0});
    until = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  }
  if (::ppoll(polled.data(), polled.size(), timeout ? &until : nullptr, nullptr) < 0) {
    if (errno != EINTR) return host_error("cannot wait");
    return Readable{};
  }
  return Readable{polled[0].revents != 0, polled[1].revents != 0, polled[2].revents != 0};
}

}  // namespace vif::host
