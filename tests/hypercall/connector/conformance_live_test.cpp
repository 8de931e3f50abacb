// SPDX-License-Identifier: BSD-2-Clause
// What happens to processes and what is told of it on the running kernel, through the bridge: C13 to C18 and C20 of the
// list of conformance, with the values that Linux 6.18 was seen to have.
#include <gtest/gtest.h>
#include <linux/sock_diag.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <set>

#include "tests/hypercall/connector/live_rig.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define VIF_SKIP_SANITIZED GTEST_SKIP() << "a sanitizer has threads and ways to end of its own"
#endif
#endif
#ifndef VIF_SKIP_SANITIZED
#define VIF_SKIP_SANITIZED
#endif

namespace {

using namespace vif;
using namespace vif::test;
using cn::ProcEvent;
using cn::What;
using cn::test::Got;

class Live : public testing::Test {
 protected:
  void SetUp() override { VIF_NEED_BRIDGE(live); }

  // All that is told of a child that does `what`.
  std::vector<Got> life_of(const std::function<int()>& what) {
    pid = run_child(what);
    return live.hear({pid}, [this](const ProcEvent& event) { return event.what == What::exit && event.pid == pid; });
  }
  static ProcEvent last(const std::vector<Got>& told) { return told.empty() ? ProcEvent{} : told.back().event(); }

  LiveBus live;
  pid_t pid = 0;
};

int die_of(int signal) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  return 0;
}

TEST_F(Live, C13_exit_codes_are_wait_statuses) {
  VIF_SKIP_SANITIZED;
  for (const auto& [status, code] : {std::pair{0, 0U}, {3, 0x300U}, {263, 0x700U}}) {
    const auto told = life_of([status = status] { return status; });
    EXPECT_EQ(cn::test::names(told), "FORK EXIT");
    EXPECT_EQ(last(told).exit_code, code);
    EXPECT_EQ(last(told).exit_signal, SIGCHLD);
  }
  for (const int signal : {SIGKILL, SIGTERM}) {
    const auto told = life_of([signal] { return die_of(signal); });
    EXPECT_EQ(cn::test::names(told), "FORK EXIT");
    EXPECT_EQ(last(told).exit_code, static_cast<std::uint32_t>(signal));
  }
  for (const int signal : {SIGSEGV, SIGABRT}) {
    const auto told = life_of([signal] { return die_of(signal); });
    EXPECT_EQ(cn::test::names(told), "FORK COREDUMP EXIT") << "also where no core may be written";
    EXPECT_EQ(last(told).exit_code & 0x7f, static_cast<std::uint32_t>(signal));
  }
  for (const auto& [path, code] : {std::pair{"/bin/true", 0U}, {"/bin/false", 0x100U}}) {
    const auto told = life_of([path = path] { return ::execl(path, path, nullptr); });
    EXPECT_EQ(cn::test::names(told), "FORK EXEC EXIT");
    EXPECT_EQ(last(told).exit_code, code);
  }
}

TEST_F(Live, C14_a_threads_fork_names_the_processs_parent_and_its_exit_nobody) {
  VIF_SKIP_SANITIZED;
  const auto told = life_of([] {
    std::thread([] { ::pthread_exit(reinterpret_cast<void*>(5)); }).join();
    static std::atomic<int> second = 0;
    std::thread([] {
      second = ::gettid();
      ::syscall(SYS_exit, 5);
    }).detach();
    while (second == 0 || ::tgkill(::getpid(), second, 0) == 0) ::usleep(1000);  // until it has gone by itself
    return 0;
  });
  std::vector<ProcEvent> forks, exits;
  for (const Got& got : told) {
    if (got.event().pid == pid) continue;
    (got.event().what == What::fork ? forks : exits).push_back(got.event());
  }
  ASSERT_EQ(forks.size(), 2U);
  ASSERT_EQ(exits.size(), 2U);
  EXPECT_EQ(forks[0].parent_tgid, ::getpid()) << "not the process that made it";
  EXPECT_EQ(exits[0].exit_code, 0U) << "what pthread_exit says the kernel does not know";
  EXPECT_EQ(exits[1].exit_code, 0x500U);
  for (const ProcEvent& exit : exits) {
    EXPECT_EQ(exit.exit_signal, -1);
    EXPECT_EQ(exit.parent_pid, 0);
    EXPECT_EQ(exit.parent_tgid, 0);
  }
}

TEST_F(Live, C14_a_process_that_ends_ends_each_of_its_threads_with_its_code) {
  VIF_SKIP_SANITIZED;
  std::vector<Got> told = life_of([] {
    for (int i = 0; i < 2; ++i) std::thread([] { ::pause(); }).detach();
    ::usleep(20'000);
    return 9;
  });
  // The leader's exit may come first.
  for (int tries = 0; tries < 100 && told.size() < 6; ++tries) {
    ::usleep(10'000);
    (void)(*live.bridge)->drain();
    for (Got& got : cn::test::take_all(live.listener)) {
      if (got.event().tgid == pid) told.push_back(std::move(got));
    }
  }
  std::size_t exits = 0;
  for (const Got& got : told) {
    if (got.event().what != What::exit) continue;
    ++exits;
    EXPECT_EQ(got.event().exit_code, 0x900U);
  }
  EXPECT_EQ(exits, 3U);
}

TEST_F(Live, C15_a_thread_that_execs_takes_its_leaders_number_and_its_own_never_ends) {
  VIF_SKIP_SANITIZED;
  pid = ::fork();
  if (pid == 0) {
    ::alarm(60);
    std::thread([] { ::execl("/bin/true", "true", nullptr); }).detach();
    for (;;) ::pause();
  }
  std::string of_leader;
  int exits = 0;
  std::set<std::int32_t> threads, ended;
  const auto told = live.hear({pid}, [&](const ProcEvent& event) { return event.what == What::exit && ++exits == 2; });
  for (const Got& got : told) {
    const ProcEvent event = got.event();
    if (event.pid == pid) of_leader += std::string(name(event.what)) + " ";
    if (event.what == What::fork && event.pid != pid) threads.insert(event.pid);
    if (event.what == What::exit) ended.insert(event.pid);
  }
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(of_leader, "FORK EXIT EXEC EXIT ");
  ASSERT_EQ(threads.size(), 1U);
  EXPECT_FALSE(ended.contains(*threads.begin()));
  EXPECT_EQ(live.proc->tasks().find(*threads.begin()), nullptr) << "nor does it stay in the table of who lives";
}

TEST_F(Live, C16_ids_sessions_and_names) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants root, to change ids";
  const auto told = of_first_threads(life_of([] {
    ::setsid();
    ::prctl(PR_SET_NAME, "a name of more than 15");
    ::prctl(PR_SET_NAME, "a name of more than 15");
    if (std::FILE* const comm = std::fopen("/proc/self/comm", "w"); comm != nullptr) {
      std::fputs("written", comm);
      std::fclose(comm);
    }
    (void)!::syscall(SYS_setresgid, 11, 12, 13);
    (void)!::syscall(SYS_setresuid, 21, 22, 23);
    return 0;
  }));
  ASSERT_EQ(cn::test::names(told), "FORK SID COMM COMM COMM GID UID EXIT");
  EXPECT_EQ(told[2].event().comm_text(), "a name of more ");
  EXPECT_EQ(told[4].event().comm_text(), "written");
  EXPECT_EQ(told[5].event().real_id, 11U);
  EXPECT_EQ(told[5].event().effective_id, 12U);
  EXPECT_EQ(told[6].event().real_id, 21U);
  EXPECT_EQ(told[6].event().effective_id, 22U);
}

TEST_F(Live, C16_a_tracer_comes_and_goes) {
  pid = ::fork();
  if (pid == 0) {
    ::alarm(60);
    for (;;) ::pause();
  }
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) {
    ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    ::waitpid(pid, nullptr, 0);
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  auto told = live.hear({pid}, [this](const ProcEvent& event) { return event.what == What::exit && event.pid == pid; });
  told = of_first_threads(told);
  if (cn::test::names(told) == "FORK EXIT") GTEST_SKIP() << "ptrace is not allowed here";
  ASSERT_EQ(cn::test::names(told), "FORK PTRACE PTRACE EXIT");
  EXPECT_EQ(told[1].event().parent_tgid, ::getpid());
  EXPECT_EQ(told[2].event().parent_tgid, 0);
}

TEST_F(Live, C17_an_orphans_exit_names_its_new_parent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid = run_child([&] {
    const pid_t parent = ::getpid();
    const pid_t orphan = ::fork();
    if (orphan == 0) {
      while (::getppid() == parent) ::usleep(1000);
      ::_exit(0);
    }
    return static_cast<int>(::write(ends[1], &orphan, sizeof orphan)) - static_cast<int>(sizeof orphan);
  });
  pid_t orphan = 0;
  ASSERT_EQ(::read(ends[0], &orphan, sizeof orphan), static_cast<ssize_t>(sizeof orphan));
  ::close(ends[0]);
  ::close(ends[1]);
  const auto told =
      live.hear({orphan}, [&](const ProcEvent& event) { return event.what == What::exit && event.pid == orphan; });
  ASSERT_EQ(cn::test::names(of_first_threads(told)), "FORK EXIT");
  EXPECT_EQ(told.front().event().parent_tgid, pid);
  EXPECT_NE(last(of_first_threads(told)).parent_tgid, pid);
  EXPECT_NE(last(of_first_threads(told)).parent_tgid, 0);
}

TEST_F(Live, C18_a_fork_comes_before_all_its_child_does) {
  for (int i = 0; i < 100; ++i) {
    const auto told = life_of([] { return ::prctl(PR_SET_NAME, "at once"); });
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.front().event().what, What::fork);
  }
}

// --- C20: what the kernel does where there is no room ---

std::uint32_t drops_of(const RawConnector& socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t bytes = sizeof info;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_MEMINFO, info.data(), &bytes);
  return info[SK_MEMINFO_DROPS];
}
void happen(int times) {
  for (int i = 0; i < times; ++i) ::prctl(PR_SET_NAME, i % 2 == 0 ? "connector_host_" : "connector_host2");
}
// How many can be read, up to `most`; errno where it ended.
int read_some(const RawConnector& socket, int most, int& why) {
  std::byte room[512];
  for (int count = 0; count < most; ++count) {
    if (::recv(socket.fd(), room, sizeof room, MSG_DONTWAIT) < 0) return why = errno, count;
  }
  return most;
}

TEST_F(Live, C20_an_overflow_is_told_once_and_first_and_more_is_dropped_until_all_is_read) {
  const RawConnector passive;  // hears, as the bridge listens
  const int bytes = 106'496;   // doubled by the kernel: its own default
  ::setsockopt(passive.fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  happen(1000);
  int why = 0;
  EXPECT_EQ(read_some(passive, 1, why), 0);
  EXPECT_EQ(why, ENOBUFS);
  EXPECT_EQ(read_some(passive, 50, why), 50) << "the oldest are still there";
  const std::uint32_t before = drops_of(passive);
  happen(20);
  EXPECT_GE(drops_of(passive), before + 20) << "there would be room for them";
  EXPECT_GT(read_some(passive, 10'000, why), 100);
  EXPECT_EQ(why, EAGAIN);
  happen(20);
  EXPECT_GE(read_some(passive, 10'000, why), 20);
}

TEST_F(Live, C20_without_the_error_room_is_used_as_soon_as_it_is_there) {
  const RawConnector passive;
  const int bytes = 106'496, on = 1;
  ::setsockopt(passive.fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  ASSERT_EQ(::setsockopt(passive.fd(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on), 0);
  happen(1000);
  int why = 0;
  EXPECT_EQ(read_some(passive, 50, why), 50);
  const std::uint32_t before = drops_of(passive);
  EXPECT_GE(before, 1000U - 400U) << "dropped all the same, and counted";
  happen(20);
  EXPECT_GT(read_some(passive, 10'000, why), 200);
  EXPECT_LT(drops_of(passive), before + 20);
}

}  // namespace
