// SPDX-License-Identifier: BSD-2-Clause
// The other end of virtifd's socket: a call and its answer, several calls at once, or notifications one by one. Blocks,
// but for answer_if_any(); one thread.
#pragma once

#include <optional>
#include <string>

#include "hypercall/unique_fd.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

class DaemonClient {
 public:
  // Errors: connect_to's (control_socket.hpp).
  static Result<DaemonClient> connect(const std::string& path);

  // Errors: what virtifd says (ENOTSUP: it does not know the method), ECONNRESET: it went away, EPROTO: that is no
  // virtifd. Notifications that come before the answer are left out.
  Result<Json> call(std::string_view method, const Json& params);

  // The same in two halves, for more than one at a time: begin() gives the id that its answer will have.
  Result<std::uint64_t> begin(std::string_view method, const Json& params);
  struct Answer {
    std::uint64_t id;
    Result<Json> result;
  };
  // An answer that has come, without waiting: that is for fd() to be readable. Errors: as of call().
  Result<std::optional<Answer>> answer_if_any();
  int fd() const { return fd_.get(); }

  struct Notification {
    std::string method;
    Json params;
  };
  Result<Notification> next();

  // The connection, after a call that made it something else, and what has come of that already.
  std::pair<host::UniqueFd, std::string> give_away() && { return {std::move(fd_), std::move(in_)}; }

 private:
  explicit DaemonClient(host::UniqueFd fd) : fd_(std::move(fd)) {}

  Status send(std::string_view text);
  // nullopt: only with MSG_DONTWAIT in `flags`, there is no whole one yet.
  Result<std::optional<Json>> take_message(int flags);
  Result<Json> read_message();

  host::UniqueFd fd_;
  std::string in_;
  std::uint64_t last_id_ = 0;
};

}  // namespace vif::tools
