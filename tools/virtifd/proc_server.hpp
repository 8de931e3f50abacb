// SPDX-License-Identifier: BSD-2-Clause
// Process events for other programs: the kernel's on a bus of ours, on a thread of its own, to whoever connects to the
// socket and may. While nobody does, the kernel is not listened to.
//
// Made and destroyed on one thread; the rest happens on its own.
#pragma once

#include <memory>
#include <optional>

#include "services/connector/proc_trace.hpp"
#include "tools/control/control_socket.hpp"
#include "tools/virtifd/workers.hpp"

namespace vif::tools {

class ProcServer {
 public:
  // Serves at once. The workers, the codes, its clients' and virtifd's own, and the tracepoints outlive it. Errors: the
  // host's.
  static Result<std::unique_ptr<ProcServer>> start(ControlSocket socket, std::optional<gid_t> group, Workers& workers,
                                                   cn::ExitCodes& codes, const cn::ProcTrace& trace);
  ~ProcServer();  // hangs up on everybody, and listens to the kernel no more

 private:
  struct State;
  explicit ProcServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vif::tools
