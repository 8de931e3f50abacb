// SPDX-License-Identifier: BSD-2-Clause
// Runs a loop on the calling thread with Boost.Asio, for programs without an event loop of their own.
#pragma once

#include <memory>

#include "hypercall/loop.hpp"

namespace vif::host {

class VIF_API Runner {
 public:
  // `loop` outlives the runner. A host without a descriptor left for it is reported by run().
  explicit Runner(Loop& loop);
  ~Runner();  // not while run() is on the stack
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Why run() would fail at once, if it would. Errors: the host's (EMFILE ...).
  Status usable() const;

  // Also ends run() on SIGINT and SIGTERM. Call before run(). Errors: the host's.
  Status stop_on_signals();

  // Polls until stop(): the calling thread is the domain's thread meanwhile. Errors: the host's while waiting.
  Status run();

  // Any thread, also before run(), which then returns at once.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::optional<Error> unusable_;  // why there is no state
};

}  // namespace vif::host
