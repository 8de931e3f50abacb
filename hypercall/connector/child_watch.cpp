// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/child_watch.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

// As wait(2) would say it (siginfo says it in two fields).
std::uint32_t wait_status(const siginfo_t& info) {
  const auto status = static_cast<std::uint32_t>(info.si_status);
  if (info.si_code == CLD_EXITED) return (status & 0xff) << 8;
  return info.si_code == CLD_DUMPED ? status | 0x80 : status;
}

}  // namespace

Result<std::unique_ptr<ChildWatch>> ChildWatch::create(cn::ProcConnector& proc) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return host_error("cannot watch children");
  return std::unique_ptr<ChildWatch>(new ChildWatch(proc, std::move(epoll)));
}

Status ChildWatch::add(std::int32_t pid) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return host_error("cannot watch process " + std::to_string(pid));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = pid;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
    return host_error("cannot watch process " + std::to_string(pid));
  }
  children_.insert_or_assign(pid, std::move(fd));
  return {};
}

void ChildWatch::drain() {
  std::array<epoll_event, 64> events;
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) {
    const std::int32_t pid = events[static_cast<std::size_t>(i)].data.fd;
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    siginfo_t info{};
    const int waited = ::waitid(P_PIDFD, static_cast<id_t>(child->second.get()), &info, WEXITED | WNOHANG | WNOWAIT);
    children_.erase(child);
    if (waited != 0 || info.si_pid == 0) continue;  // somebody has reaped it before us, and knows
    proc_.publish({.what = cn::What::exit,
                   .pid = pid,
                   .tgid = pid,
                   .parent_pid = ::getpid(),
                   .parent_tgid = ::getpid(),
                   .exit_code = wait_status(info),
                   .exit_signal = SIGCHLD});
  }
}

}  // namespace vif::host
