// SPDX-License-Identifier: BSD-2-Clause
// What a virtifd records, as it comes: the client's end of `trace.record` and `trace.extract` (docs/protocol.md). One
// thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "hypercall/trace/trace_stream.hpp"
#include "hypercall/unique_fd.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

class TraceSource {
 public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  // Errors: connect_to's, and what virtifd says to `params`; EINVAL: they make no sense to it.
  static Result<TraceSource> open(const std::string& socket_path, std::string_view method, const Json& params);

  int fd() const { return fd_.get(); }
  // Waits for more to come; at the deadline says that no more is wanted, and goes on. False: there is no more. Errors:
  // the host's.
  Result<bool> read(Deadline& deadline);
  // The next that has come, borrowed until read(); nullopt: read() first. EPROTO: that is no virtifd.
  Result<std::optional<host::TraceItem>> next();
  // Says that no more is wanted: what was recorded until now still comes.
  void end();

 private:
  TraceSource(host::UniqueFd fd, std::string come) : fd_(std::move(fd)), in_(std::move(come)) {}
  void wait(Deadline& deadline);

  host::UniqueFd fd_;
  std::string in_;
  std::size_t taken_bytes_ = 0;  // of in_, by next()
};

}  // namespace vif::tools
