// SPDX-License-Identifier: BSD-2-Clause
// The bridge on the running kernel: what is told, that nothing is lost unsaid, that it leaves the kernel as it was, and
// what happens where the kernel says no.
#include "hypercall/connector/connector_bridge.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>

#include <atomic>

#include "hypercall/connector/exit_notice.hpp"
#include "tests/hypercall/connector/live_rig.hpp"
#include "tests/support/host_faults.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using cn::What;
using cn::test::Got;

bool is_exit(const cn::ProcEvent& event, pid_t pid) { return event.what == What::exit && event.pid == pid; }

TEST(Bridge, tells_of_a_child_from_its_fork_to_its_end) {
  LiveBus live;
  VIF_NEED_BRIDGE(live);
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(::execl("/bin/sh", "sh", "-c", "kill -STOP $$", nullptr));
  const auto first =
      of_first_threads(live.hear({pid}, [&](const cn::ProcEvent& event) { return event.what == What::exec; }));
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  const auto rest = live.hear({pid}, [&](const cn::ProcEvent& event) { return is_exit(event, pid); });
  ASSERT_EQ(cn::test::names(first), "FORK EXEC");
  EXPECT_EQ(first[0].event().parent_tgid, ::getpid());
  ASSERT_EQ(cn::test::names(rest), "EXIT");
  EXPECT_EQ(rest[0].event().exit_code, static_cast<std::uint32_t>(status));
  EXPECT_EQ(rest[0].event().exit_signal, SIGCHLD);
  ASSERT_TRUE(rest[0].extension().comm);
  EXPECT_STREQ(rest[0].extension().comm->data(), "sh") << "the name a reader of procfs would come too late for";
}

TEST(Bridge, puts_the_code_a_thread_registered_over_its_exit) {
  const auto codes = std::move(*host::make_exit_codes());
  LiveBus live(codes.get());
  VIF_NEED_BRIDGE(live);
  std::atomic<pid_t> tid{0};
  std::thread([&] {
    ASSERT_TRUE(host::thread_attach(*codes));
    tid = ::gettid();
    EXPECT_EQ(host::exit_notify(300), 0);
  }).join();
  const auto heard = live.hear({::getpid()}, [&](const cn::ProcEvent& event) { return is_exit(event, tid); });
  ASSERT_FALSE(heard.empty());
  const Got& exit = heard.back();
  EXPECT_EQ(exit.event().exit_signal, -1) << "the kernel's own event of a thread";
  EXPECT_EQ(exit.event().exit_code, (300U & 0xff) << 8);
  EXPECT_EQ(exit.extension().user_code, std::optional<std::uint32_t>(300));
  EXPECT_TRUE(codes->empty());
}

TEST(Bridge, leaves_the_code_of_another_process_that_has_the_number) {
  const auto codes = std::move(*host::make_exit_codes());
  LiveBus live(codes.get());
  VIF_NEED_BRIDGE(live);
  const pid_t pid = run_child([] { return 0; });
  ASSERT_EQ(codes->attach(pid, ::getpid(), 1), 0);  // a thread of ours that had the child's number once
  ASSERT_EQ(codes->put(pid, 7), 0);
  const auto heard = live.hear({pid}, [&](const cn::ProcEvent& event) { return is_exit(event, pid); });
  ASSERT_FALSE(heard.empty());
  EXPECT_EQ(heard.back().event().exit_code, 0U);
  EXPECT_EQ(heard.back().extension().user_code, std::nullopt);
}

TEST(Bridge, leaves_no_listener_behind_in_the_kernel) {
  if (!RawConnector().usable()) GTEST_SKIP() << "no connector in this kernel, or not in the initial namespaces";
  if (kernel_counts_listeners())
    GTEST_SKIP() << "somebody else listens on this machine: the count cannot be seen to fall";
  {
    LiveBus live;
    VIF_NEED_BRIDGE(live);
    EXPECT_TRUE(kernel_counts_listeners());
  }
  EXPECT_FALSE(kernel_counts_listeners());
}

TEST(Bridge, knows_who_lived_before_it) {
  LiveBus live;
  VIF_NEED_BRIDGE(live);
  const cn::Task* const self = live.proc->tasks().find(::getpid());
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(self->tgid, ::getpid());
  EXPECT_EQ(self->parent_tgid, ::getppid());
  EXPECT_NE(self->comm[0], 0);
}

// The kernel drops from the first that does not fit until all is read, and counts.
TEST(Bridge, tells_of_every_event_that_the_kernel_dropped) {
  LiveBus live(nullptr, 50'000);  // some 120 events
  VIF_NEED_BRIDGE(live);
  constexpr std::uint64_t kEach = 3000;
  std::uint64_t delivered = 0, lost = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < kEach; ++i) ::prctl(PR_SET_NAME, i % 2 == 0 ? "connector_host_" : "connector_host2");
    (void)(*live.bridge)->drain();
    for (const Got& got : cn::test::take_all(live.listener)) {
      lost += got.lost;
      if (got.event().what == What::comm && got.event().pid == ::gettid()) ++delivered;
    }
  }
  ::prctl(PR_SET_NAME, "connector_host_");
  (void)(*live.bridge)->drain();
  for (const Got& got : cn::test::take_all(live.listener)) lost += got.lost;
  EXPECT_GT(lost, 0U);
  EXPECT_GE(delivered + lost, 3 * kEach) << "the rest are other processes' events";
  EXPECT_EQ(lost, (*live.bridge)->lost());
  EXPECT_EQ(lost, *(*live.bridge)->kernel_drops());
}

TEST(Bridge, says_why_where_the_kernel_refuses) {
  cn::Bus bus;
  host::LinuxClock clock;
  const auto proc = std::move(*cn::ProcConnector::attach(bus, clock, {}));
  const auto refused = [&] {
    const auto opened = host::ConnectorBridge::open(*proc);
    return opened ? 0 : opened.error().number();
  };
  {
    HostFaults faults;
    faults.fail("socket", EPROTONOSUPPORT);
    EXPECT_EQ(refused(), EPROTONOSUPPORT);
    faults.heal("socket");
    faults.fail("bind", EPERM);
    EXPECT_EQ(refused(), EPERM);
    faults.heal("bind");
    faults.fail("send", ECONNREFUSED);
    EXPECT_EQ(refused(), ECONNREFUSED);
  }
  if (!RawConnector().usable()) GTEST_SKIP() << "no connector in this kernel: the rest cannot be asked";
  HostFaults faults;
  faults.fail("recvmmsg", EIO);
  EXPECT_EQ(refused(), EIO);
  faults.fail("recvmmsg", EAGAIN);
  EXPECT_EQ(refused(), ETIMEDOUT);
}

TEST(Bridge, is_refused_in_another_network_namespace) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root, to make a network namespace";
  int status = 0;
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(77);
    const auto opened = host::ConnectorSocket::open();
    ::_exit(!opened && opened.error().number() == ECONNREFUSED ? 0 : 1);
  }
  ::waitpid(pid, &status, 0);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "may not make a network namespace";
  EXPECT_EQ(status, 0);
}

TEST(Bridge, works_with_less_room_where_more_is_not_allowed) {
  HostFaults faults;
  faults.fail("setsockopt", EPERM);
  LiveBus live;
  VIF_NEED_BRIDGE(live);
  EXPECT_GE(faults.calls("setsockopt"), 2) << "forced, then asked for";
}

TEST(Bridge, goes_on_after_an_overflow_that_lost_nothing) {
  LiveBus live;
  VIF_NEED_BRIDGE(live);
  {
    HostFaults faults;
    faults.fail("recvmmsg", ENOBUFS, 1);
    EXPECT_TRUE((*live.bridge)->drain());
  }
  const pid_t pid = run_child([] { return 0; });
  const auto heard = live.hear({pid}, [&](const cn::ProcEvent& event) { return is_exit(event, pid); });
  EXPECT_EQ(cn::test::names(of_first_threads(heard)), "FORK EXIT");
}

}  // namespace
