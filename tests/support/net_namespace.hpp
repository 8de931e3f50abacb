// SPDX-License-Identifier: BSD-2-Clause
// A network namespace of the calling thread's own, for tests with real interfaces: empty but for lo, gone with all that
// is in it when the object (or the process) ends. Needs root, or the right to make user namespaces.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "hypercall/unique_fd.hpp"

namespace vif::test {

class NetNamespace {
 public:
  NetNamespace() : outside_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (::unshare(CLONE_NEWNET) != 0) {
      why_ = std::string("cannot make a network namespace: ") + std::strerror(errno);
      return;
    }
    inside_ = host::UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    ip("link set lo up");
  }
  ~NetNamespace() { leave(); }
  NetNamespace(const NetNamespace&) = delete;
  NetNamespace& operator=(const NetNamespace&) = delete;

  // Why there is none, or empty: skip with it.
  const std::string& why_not() const { return why_; }

  // From here on the calling thread is inside (as after construction), or where it came from. Descriptors stay in
  // theirs.
  void enter() { move_to(inside_); }
  void leave() { move_to(outside_); }

  // Where `ip link set NAME netns` finds it.
  std::string path() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(inside_.get()); }

  // Interfaces made from here on say nothing by themselves, where the calling thread is.
  static void without_ipv6() {
    const host::UniqueFd off(::open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC));
    EXPECT_TRUE(!off || ::write(off.get(), "1", 1) == 1) << std::strerror(errno);
  }

  // Runs `ip WORDS` where the calling thread is; anything but success fails the test.
  static void ip(const std::string& words) { run("ip " + words); }
  static void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

 private:
  void move_to(const host::UniqueFd& there) const {
    if (!why_.empty()) return;
    EXPECT_EQ(::setns(there.get(), CLONE_NEWNET), 0) << std::strerror(errno);
  }

  host::UniqueFd outside_, inside_;
  std::string why_;
};

// In a test's body or fixture's SetUp, with a NetNamespace member: skips aloud where there can be none.
#define VIF_NEEDS_NAMESPACE(network) \
  if (!(network).why_not().empty()) GTEST_SKIP() << (network).why_not()

}  // namespace vif::test
