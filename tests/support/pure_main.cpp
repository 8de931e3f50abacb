// SPDX-License-Identifier: BSD-2-Clause
// main() for the tests of pure code: once gtest has started, the kernel takes away every system call but those that
// memory, waiting, writing and exiting need. A test that makes another one dies with its name. Files, clocks and
// threads that a test itself needs belong into a test that links gtest_main instead. Off, and says so, under
// sanitizers, whose runtimes make calls of their own.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define VIF_SANITIZED true
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VIF_SANITIZED true
#endif
#ifndef VIF_SANITIZED
#define VIF_SANITIZED false
#endif

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArch = AUDIT_ARCH_AARCH64;
#endif

constexpr std::array kAllowed = {
#ifdef __NR_brk
    __NR_brk,
#endif
    __NR_mmap,
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_mprotect,  // the heap
    __NR_futex,     // static locals, gtest's own mutexes
    __NR_write,
    __NR_writev,  // gtest's report
    __NR_exit,
    __NR_exit_group,
    __NR_rt_sigreturn,  //
    __NR_rt_sigprocmask,
    __NR_getpid,
    __NR_gettid,
    __NR_tgkill,  // abort(), so that a failed assert looks like one
    // gtest times each test. Normally the kernel's shared page answers without a call; some virtual machines have none.
    __NR_clock_gettime,
};

struct Name {
  int number;
  std::string_view text;
};

// The calls that pure code is most likely to make by mistake.
constexpr Name kNames[] = {
    {__NR_openat, "openat"},
    {__NR_read, "read"},
    {__NR_close, "close"},
    {__NR_socket, "socket"},
    {__NR_ioctl, "ioctl"},
    {__NR_clock_nanosleep, "clock_nanosleep"},
    {__NR_nanosleep, "nanosleep"},
    {__NR_getrandom, "getrandom"},
    {__NR_clone, "clone"},
    {__NR_clone3, "clone3 (thread)"},
    {__NR_sched_yield, "sched_yield"},
    {__NR_newfstatat, "newfstatat"},
    {__NR_lseek, "lseek"},
    {__NR_fstat, "fstat"},
    {__NR_execve, "execve"},
    {__NR_getcwd, "getcwd"},
    {__NR_gettimeofday, "gettimeofday"},
};

void say(std::string_view text) { (void)!write(STDERR_FILENO, text.data(), text.size()); }

// Signal handler: only write and exit.
void on_refused_call(int, siginfo_t* info, void*) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), info->si_syscall).ptr;
  say("\npure code made system call ");
  say({digits.data(), static_cast<std::size_t>(end - digits.data())});
  for (const Name& name : kNames) {
    if (name.number != info->si_syscall) continue;
    say(" = ");
    say(name.text);
  }
  say(", in the test whose [ RUN ] line stands last. What to do instead: take time, chance, bytes or memory through a "
      "port"
      " (netstack/base/ports.hpp, stream.hpp) and let hypercall/ make the call; if only the test needs it, link this"
      " test with gtest_main_dep in its meson.build.\n");
  _exit(1);
}

void forbid_the_host() {
  struct sigaction action {};
  action.sa_sigaction = on_refused_call;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);

  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArch, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const int number : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));

  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
    std::perror("pure_main: this kernel refuses seccomp filters, without which pure code is not proven pure");
    std::_Exit(1);
  }
}

// gtest sets environments up after its first printed lines, that is after stdout has been looked at and buffered.
class NoHost : public testing::Environment {
 public:
  void SetUp() override {
    if (VIF_SANITIZED) std::puts("pure_main: sanitized build, so the tests run without the system call filter");
    else forbid_the_host();
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new NoHost);  // gtest owns it
  return RUN_ALL_TESTS();
}
