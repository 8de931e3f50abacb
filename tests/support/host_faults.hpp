// SPDX-License-Identifier: BSD-2-Clause
// Makes calls to the host fail where a test says. The linker puts it between our code and the C library or liburing
// (host_faults_dep, and its list in tests/support/meson.build), so what is tested is what is shipped.
//
// One at a time; while none lives, every call goes through. Scripts may be read by any thread, written by the test's.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace vif::test {

class HostFaults {
 public:
  HostFaults();
  ~HostFaults();
  HostFaults(const HostFaults&) = delete;
  HostFaults& operator=(const HostFaults&) = delete;

  static constexpr int kAlways = 1 << 30;

  // After `after` calls of `call` ("read", "io_uring_submit") from now on go through, the next `times` fail with
  // `number`: as errno, or negative where the library answers that way.
  void fail(const std::string& call, int number, int times = kAlways, int after = 0);
  // The next `times` calls of read, write, writev, send, sendmsg or recv move at most `bytes`.
  void shorten(const std::string& call, std::size_t bytes, int times = kAlways);
  // As if nothing had been said of it.
  void heal(const std::string& call);
  // How often it was called since this began, failed or not.
  int calls(const std::string& call) const;

  // For the wrappers: what this call is to do.
  static int due(const char* call);
  static std::size_t at_most(const char* call, std::size_t bytes);

 private:
  struct Script {
    int number = 0, after = 0, times = 0;
    std::size_t bytes = 0;
    int short_times = 0;
    int calls = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Script> scripts_;
};

}  // namespace vif::test
