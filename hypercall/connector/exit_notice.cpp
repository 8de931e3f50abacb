// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/exit_notice.hpp"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr std::uint32_t kPidMaxDefault = 32'768;

// What a signal handler looks at: no constructor, no destructor, no guard.
struct Attached {
  cn::ExitCodes* codes;
  std::int32_t tid;
};
constinit thread_local Attached attached{nullptr, 0};
// Its destructor is the thread's end: after the function has returned or was left by pthread_exit, cancellation or an
// exception. What was registered stays, for who tells of the exit.
struct AtThreadEnd {
  bool armed = false;
  ~AtThreadEnd() {
    if (attached.codes != nullptr) attached.codes->detach(attached.tid);
    attached = {nullptr, 0};
  }
};
thread_local AtThreadEnd at_thread_end;

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// The forking thread's table only: it lives as long as the thread. In another one the parent's codes stay, under the
// parent's process id, and no exit of the child's takes them.
void in_forks_child() {
  if (attached.codes == nullptr) return;
  attached.codes->forget_all();
  attached.tid = ::gettid();
  (void)attached.codes->attach(attached.tid, ::getpid(), now_ns());
}

}  // namespace

Result<std::unique_ptr<cn::ExitCodes>> make_exit_codes() {
  std::uint32_t ids = 0;
  std::ifstream("/proc/sys/kernel/pid_max") >> ids;
  return cn::ExitCodes::create(ids == 0 ? kPidMaxDefault : ids);
}

Status thread_attach(cn::ExitCodes& codes) {
  if (attached.codes == &codes) return {};
  if (attached.codes != nullptr) return fail(EBUSY, "this thread is attached to another table of exit codes");
  const std::int32_t tid = ::gettid();
  if (const int error = codes.attach(tid, ::getpid(), now_ns()); error != 0) {
    return fail(error, "thread " + std::to_string(tid) + " cannot attach to these exit codes");
  }
  static const int hooked = ::pthread_atfork(nullptr, nullptr, in_forks_child);
  if (hooked != 0) return fail(hooked, "no memory to be told of forks");
  attached = {&codes, tid};
  at_thread_end.armed = true;  // makes it, and with it the end
  return {};
}

int exit_notify(std::uint32_t code) {
  return attached.codes == nullptr ? ESRCH : attached.codes->put(attached.tid, code);
}

int exit_withdraw() { return attached.codes == nullptr ? ESRCH : attached.codes->withdraw(attached.tid); }

}  // namespace vif::host
