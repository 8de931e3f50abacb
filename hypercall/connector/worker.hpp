// SPDX-License-Identifier: BSD-2-Clause
// A thread whose end does not go unseen: it registers an exit code (exit_notice.hpp), and however it ends but as it was
// asked to, somebody is told how. The process lives on.
//
// Made and destroyed on one thread. The body runs on its own, and so does what is told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/connector/exit_codes.hpp"

namespace vif::host {

// How a worker ended that was not asked to. The number is the code its exit is told with.
enum class WorkerEnd : std::uint8_t {
  returned = 1,   // its body returned early, with an error
  cancelled = 2,  // pthread_cancel or pthread_exit
  exception = 3,  // its body let one out
};
VIF_API const char* name(WorkerEnd end);

class VIF_API Worker {
 public:
  struct Config {
    std::string name;      // what ps shows of it: 15 bytes are kept
    cn::ExitCodes& codes;  // outlives the thread
    // Success: it was asked to end. An error: it ends early, and why.
    std::function<Status()> body;
    // The last that runs on the thread, after all of its stack is unwound; not when it ended as asked. Throws nothing.
    std::function<void(WorkerEnd end, const std::string& why)> ended;
  };

  // Errors: EAGAIN: the host has no thread left.
  static Result<std::unique_ptr<Worker>> start(Config config);
  ~Worker();  // waits until it has ended: ask it to before
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

 private:
  explicit Worker(Config config) : config_(std::move(config)) {}
  void run();

  const Config config_;
  std::thread thread_;
};

// Calls body() and catches what it lets out, for a thread that was there before. Any thread.
struct Ran {
  Status status;                        // success: as asked; else why it ended
  WorkerEnd end = WorkerEnd::returned;  // and how
};
VIF_API Ran run_guarded(const std::function<Status()>& body);

}  // namespace vif::host
