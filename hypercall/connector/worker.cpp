// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/connector/worker.hpp"

#include <cxxabi.h>
#include <pthread.h>

#include "hypercall/connector/exit_notice.hpp"

namespace vif::host {
namespace {

constexpr std::size_t kNameBytesMax = 15;  // pthread_setname_np

// Tells in its destructor, which also runs when the thread is cancelled.
struct Teller {
  const Worker::Config& config;
  bool as_asked = false;
  WorkerEnd end = WorkerEnd::cancelled;
  std::string why = "its thread was cancelled";

  ~Teller() {
    if (as_asked) return;
    (void)exit_notify(static_cast<std::uint32_t>(end));
    config.ended(end, why);
  }
};

}  // namespace

const char* name(WorkerEnd end) {
  switch (end) {
    case WorkerEnd::returned:
      return "returned";
    case WorkerEnd::cancelled:
      return "cancelled";
    case WorkerEnd::exception:
      return "exception";
  }
  return "?";
}

Ran run_guarded(const std::function<Status()>& body) {
  try {
    return {body()};
  } catch (const abi::__forced_unwind&) {
    throw;  // a cancellation goes on to the thread's end
  } catch (const std::exception& error) {
    return {fail(EFAULT, error.what()), WorkerEnd::exception};
  } catch (...) {
    return {fail(EFAULT, "an exception that is no std::exception"), WorkerEnd::exception};
  }
}

Result<std::unique_ptr<Worker>> Worker::start(Config config) {
  std::unique_ptr<Worker> made(new Worker(std::move(config)));
  try {
    made->thread_ = std::thread([worker = made.get()] { worker->run(); });
  } catch (const std::system_error& error) {
    return fail(error.code().value(), "cannot start the thread '" + made->config_.name + "'");
  }
  return made;
}

Worker::~Worker() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  (void)::pthread_setname_np(::pthread_self(), config_.name.substr(0, kNameBytesMax).c_str());
  Teller teller{config_};
  if (Status attached = thread_attach(config_.codes); !attached) {
    teller.end = WorkerEnd::returned;
    teller.why = attached.error().text;
    return;
  }
  // What is registered if the thread ends in a way that runs nothing of ours any more.
  ExitNotice notice(static_cast<std::uint32_t>(WorkerEnd::cancelled));
  const Ran ran = run_guarded(config_.body);
  if (ran.status) {
    teller.as_asked = true;
    return notice.all_well();
  }
  teller.end = ran.end;
  teller.why = ran.status.error().text;
}

}  // namespace vif::host
