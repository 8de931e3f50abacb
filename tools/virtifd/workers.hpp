// SPDX-License-Identifier: BSD-2-Clause
// virtifd's threads, watched: the node's own, which is the one that makes this, and those it starts. One that ends
// without having been asked to is told of (standard error, `worker.end` for `monitor`, virtifd:worker_end for whoever
// records) with the reason; then it is started again, where that is wanted, or virtifd ends. The interfaces of the
// node's thread are down meanwhile.
//
// On the node's thread, which is the domain's.
#pragma once

#include <atomic>

#include "hypercall/connector/worker.hpp"
#include "hypercall/host/node.hpp"
#include "hypercall/loop.hpp"
#include "hypercall/run.hpp"
#include "tools/virtifd/daemon_trace.hpp"

namespace vif::tools {

class Workers {
 public:
  enum class AtEnd : std::uint8_t { stop, restart };

  // All outlive this.
  Workers(host::Loop& loop, host::Node& node, cn::ExitCodes& codes, DaemonTrace& trace, AtEnd at_end)
      : loop_(loop), node_(node), codes_(codes), trace_(trace), at_end_(at_end) {}

  struct Job {
    std::string name;                     // of the thread
    std::function<Status()> run;          // as Worker::Config::body
    std::function<void()> prepare_again;  // before it runs once more; its thread is gone
    std::function<void()> ask_to_end;     // run() then returns success
  };
  class Running;
  // Runs until what is returned is destroyed, which is after run_node(), and waits for it. Errors: Worker::start's.
  Result<std::unique_ptr<Running>> start(Job job);

  // Polls the node on this thread until it is asked to stop, as `runner` is by signals. Errors: the host's, and what a
  // thread that is not started again ended with.
  Status run_node(std::unique_ptr<host::Runner> runner);

 private:
  void ended(Running& running, host::WorkerEnd end, const std::string& why);
  void settle(Running& running, host::WorkerEnd end, const std::string& why);
  void tell(const std::string& name, host::WorkerEnd end, const std::string& why, const std::vector<std::string>& down);
  std::vector<std::string> take_down();
  void bring_up(const std::vector<std::string>& ifnames);

  host::Loop& loop_;
  host::Node& node_;
  cn::ExitCodes& codes_;
  DaemonTrace& trace_;
  const AtEnd at_end_;
  host::Runner* runner_ = nullptr;  // while the node is run
  std::optional<Error> fatal_;      // what virtifd ends with
};

class Workers::Running {
 public:
  Running(Workers& owner, Job job);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  friend class Workers;
  Status begin();

  Workers& owner_;
  const Job job_;
  std::atomic<bool> ending_{false};
  std::unique_ptr<host::Worker> worker_;
  Callout again_;
};

}  // namespace vif::tools
