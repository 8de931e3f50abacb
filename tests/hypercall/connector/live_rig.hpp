// SPDX-License-Identifier: BSD-2-Clause
// The running kernel's connector for a test: raw sockets as any program has them, children that live and end as told,
// and a look at whether the kernel still counts a listener. What cannot be asked here is skipped, with the reason.
#pragma once

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "hypercall/connector/connector_bridge.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/services/connector/bytes.hpp"

namespace vif::test {

// A member of group 1 that has asked for nothing yet.
class RawConnector {
 public:
  explicit RawConnector(std::uint32_t groups = 1)
      : fd_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR)) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    usable_ = fd_ && ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool usable() const { return usable_; }
  int fd() const { return fd_.get(); }
  bool send(Bytes datagram) const {
    return ::send(fd_.get(), datagram.data(), datagram.size(), 0) == static_cast<ssize_t>(datagram.size());
  }
  // All that waits, and what comes in `patience_ms` after the last.
  std::vector<cn::test::Got> take(int patience_ms = 50) const {
    std::vector<cn::test::Got> all;
    std::byte room[512];
    for (;;) {
      pollfd waiting{fd_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, patience_ms) <= 0) return all;
      const ssize_t got = ::recv(fd_.get(), room, sizeof room, MSG_DONTWAIT);
      if (got > 16) all.push_back({.bytes = {room + 16, room + got}});
    }
  }

 private:
  host::UniqueFd fd_;
  bool usable_ = false;
};

// Forks a child that does `what` and ends with what it returns; waits for it. Its pid.
inline pid_t run_child(const std::function<int()>& what) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(what());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return pid;
}

// Whether somebody listens, as the kernel counts: a member that never asked hears of a fork then (quirk Q6).
inline bool kernel_counts_listeners() {
  const RawConnector passive;
  const pid_t pid = run_child([] { return 0; });
  for (const cn::test::Got& got : passive.take()) {
    if (got.event().tgid == pid) return true;
  }
  return false;
}

// The kernel's events on a bus with one listener that hears all.
struct LiveBus {
  explicit LiveBus(cn::ExitCodes* codes = nullptr, int receive_bytes = host::ConnectorSocket::kReceiveBytesDefault)
      : proc(std::move(*cn::ProcConnector::attach(bus, clock, {.follow_tasks = true, .codes = codes}))),
        bridge(host::ConnectorBridge::open(*proc, receive_bytes)) {
    (void)listener.join(1);
    const auto listen = cn::write_request({.wishes = {.extended = true}});
    bus.receive({.id = cn::kProcId, .payload = listen}, {.subscriber = &listener});
    (void)cn::test::take_all(listener);
  }

  // All about these processes that has come by the time the last of them has ended, or a while later.
  std::vector<cn::test::Got> hear(std::vector<std::int32_t> tgids,
                                  const std::function<bool(const cn::ProcEvent&)>& last) {
    std::vector<cn::test::Got> heard;
    for (int tries = 0; tries < 200; ++tries) {
      (void)(*bridge)->drain();
      bool done = false;
      for (cn::test::Got& got : cn::test::take_all(listener)) {
        const cn::ProcEvent event = got.event();
        const bool ours = std::find(tgids.begin(), tgids.end(), event.tgid) != tgids.end();
        if (got.lost == 0 && !ours) continue;
        done |= got.lost == 0 && last(event);
        heard.push_back(std::move(got));
      }
      if (done) return heard;
      pollfd waiting{(*bridge)->fd(), POLLIN, 0};
      (void)::poll(&waiting, 1, 50);
    }
    return heard;
  }

  host::LinuxClock clock;
  cn::Bus bus;
  std::unique_ptr<cn::ProcConnector> proc;
  cn::Subscriber listener{bus, {.ring_bytes = 16 << 20}};
  Result<std::unique_ptr<host::ConnectorBridge>> bridge;
};

// Without other threads of the processes: TSan starts one of its own in every child.
inline std::vector<cn::test::Got> of_first_threads(std::vector<cn::test::Got> heard) {
  std::erase_if(heard, [](const cn::test::Got& got) { return got.lost == 0 && got.event().pid != got.event().tgid; });
  return heard;
}

}  // namespace vif::test

// A live connector or a skip with the reason.
#define VIF_NEED_BRIDGE(live) \
  if (!(live).bridge) GTEST_SKIP() << "no process events from this kernel: " << (live).bridge.error().text
