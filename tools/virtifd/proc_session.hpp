// SPDX-License-Identifier: BSD-2-Clause
// One who listens to process events at virtifd's socket: a subscriber, and datagrams of as many records as fit. Who
// does not read loses what its ring cannot hold, and is told how many.
//
// On the thread of its ProcServer.
#pragma once

#include <array>
#include <functional>

#include "hypercall/unique_fd.hpp"
#include "services/connector/bus.hpp"

namespace vif::tools {

class ProcSession {
 public:
  static constexpr int kRequestsARound = 4;           // each may ask for every task there is, while others wait
  static constexpr std::size_t kRingBytes = 2 << 20;  // some 20,000 records

  // Its credentials are the kernel's word on who connected. Errors: the host's.
  static Result<std::unique_ptr<ProcSession>> open(host::UniqueFd fd, cn::Bus& bus);

  int fd() const { return fd_.get(); }

  // Hands at most kRequestsARound of its requests to the bus, after `catch_up()` when there are any: a thread that asks
  // has been told of by then. False: it has gone.
  bool hear(const std::function<void()>& catch_up);
  bool has_heard_more() const { return !heard_.empty(); }  // of which no descriptor tells
  // Sends what waits. False: it has gone.
  bool tell();
  bool wants_room() const { return out_bytes_ > 0; }  // tell() again when it is writable

 private:
  ProcSession(host::UniqueFd fd, cn::Bus& bus, const cn::Sender& sender);

  void pack();
  bool put(Bytes record);

  host::UniqueFd fd_;
  cn::Bus& bus_;
  cn::Subscriber subscriber_;
  cn::Sender sender_;
  std::array<std::byte, cn::kMessageBytesMax> in_, out_;
  Bytes heard_;  // of in_, and not yet handed on
  std::size_t out_bytes_ = 0;
  std::vector<std::byte> left_;  // a record that did not fit any more
};

}  // namespace vif::tools
