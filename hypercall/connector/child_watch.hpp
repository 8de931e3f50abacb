// SPDX-License-Identifier: BSD-2-Clause
// Exits of our own children, where the kernel's connector is refused: a pidfd each, and wait without reaping, so that
// the program's own wait still finds the child. On the bus's thread: wait until fd() is readable, then drain().
#pragma once

#include <unordered_map>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "services/connector/proc_connector.hpp"

namespace vif::host {

class VIF_API ChildWatch {
 public:
  // Publishes as producer 0 of `proc`, which outlives it. Errors: epoll_create1's.
  static Result<std::unique_ptr<ChildWatch>> create(cn::ProcConnector& proc);

  int fd() const { return epoll_.get(); }
  // A child of this process that has not been waited for. Errors: ESRCH: there is none; pidfd_open's.
  Status add(std::int32_t pid);
  // Tells of the children that have ended since.
  void drain();

 private:
  ChildWatch(cn::ProcConnector& proc, UniqueFd epoll) : proc_(proc), epoll_(std::move(epoll)) {}

  cn::ProcConnector& proc_;
  UniqueFd epoll_;
  std::unordered_map<std::int32_t, UniqueFd> children_;
};

}  // namespace vif::host
