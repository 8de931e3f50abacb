// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/fd_watch.hpp"

#include <sys/epoll.h>

#include <array>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<FdWatch> FdWatch::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return host_error("cannot make an epoll instance for the loop");
  return FdWatch(std::move(epoll));
}

Status FdWatch::add(int fd, drv::LinkSink& sink, For what) { return control(EPOLL_CTL_ADD, fd, sink, what); }
Status FdWatch::change(int fd, drv::LinkSink& sink, For what) { return control(EPOLL_CTL_MOD, fd, sink, what); }

Status FdWatch::control(int operation, int fd, drv::LinkSink& sink, For what) {
  const std::uint32_t events = what == For::reading ? EPOLLIN | EPOLLET : EPOLLIN | EPOLLOUT | EPOLLET;
  epoll_event event{.events = events, .data = {.ptr = &sink}};
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) return host_error("cannot wait for a descriptor");
  return {};
}

Status FdWatch::add_wake_up(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return host_error("cannot wait for a wake-up");
  return {};
}

void FdWatch::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

FdWatch::Collected FdWatch::collect() {
  std::array<epoll_event, 64> events;
  // The kernel hands them out in turn, so what does not fit now comes first next time.
  const int n = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
  Collected collected{.woken = false, .more = n == static_cast<int>(events.size())};
  for (int i = 0; i < n; ++i) {
    if (auto* const sink = static_cast<drv::LinkSink*>(events[static_cast<std::size_t>(i)].data.ptr)) sink->ready();
    else collected.woken = true;
  }
  return collected;
}

}  // namespace vif::host
