// SPDX-License-Identifier: BSD-2-Clause
// Signals as a descriptor, so that waiting for them and for others is one wait. They are blocked in this thread, and in
// those it starts, until this goes.
#pragma once

#include <array>
#include <csignal>
#include <initializer_list>
#include <optional>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/ports.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

class SignalFd {
 public:
  // Errors: the host's.
  static Result<SignalFd> open(std::initializer_list<int> signals);
  ~SignalFd();
  SignalFd(SignalFd&&) = default;
  SignalFd& operator=(SignalFd&&) = delete;

  int fd() const { return fd_.get(); }
  struct Came {
    int signal;
    bool from_kernel;  // a terminal, or a child's end, rather than a process
  };
  // One that came; nullopt: none more.
  std::optional<Came> take();
  // What was blocked before; for a child.
  const sigset_t& mask_before() const { return before_; }

 private:
  SignalFd(UniqueFd fd, const sigset_t& before) : fd_(std::move(fd)), before_(before) {}

  UniqueFd fd_;
  sigset_t before_;
};

// Sleeps until one of the descriptors is readable (-1 is none) or `timeout` is over, and says which are. Errors: the
// host's.
using Fds = std::array<int, 3>;
using Readable = std::array<bool, 3>;
Result<Readable> wait_readable(const Fds& fds, std::optional<Time> timeout);

}  // namespace vif::host
