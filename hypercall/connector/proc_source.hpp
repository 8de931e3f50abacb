// SPDX-License-Identifier: BSD-2-Clause
// Process events from the best source this host gives: the kernel's connector, of everybody; or, where that is refused,
// pidfds, of the exits of those of our own children that are named. Which it is, and why, is said.
//
// On the bus's thread: wait until fd() is readable, then drain(). Goes before the connector it feeds.
#pragma once

#include "hypercall/connector/child_watch.hpp"
#include "hypercall/connector/connector_bridge.hpp"

namespace vif::host {

class VIF_API ProcSource {
 public:
  // Errors: those that more descriptors or memory would cure (EMFILE, ENFILE, ENOMEM, ENOBUFS); refusals are none.
  static Result<std::unique_ptr<ProcSource>> open(cn::ProcConnector& proc);

  // nullptr: all events come, from the kernel. Else why only the exits of children do, as a sentence to print.
  const Error* refusal() const { return refusal_ ? &*refusal_ : nullptr; }

  int fd() const { return bridge_ ? bridge_->fd() : children_->fd(); }
  // A child of this process whose exit is to be told of. The kernel tells of all. Errors: ChildWatch::add's.
  Status add_child(std::int32_t pid) { return bridge_ ? Status() : children_->add(pid); }
  // Tells of what has happened. True: perhaps there is more. Errors: the host's, after which this is of no use.
  Result<bool> drain(std::size_t budget = SIZE_MAX);

 private:
  ProcSource() = default;

  std::unique_ptr<ConnectorBridge> bridge_;  // one of the two
  std::unique_ptr<ChildWatch> children_;
  std::optional<Error> refusal_;
};

}  // namespace vif::host
