// SPDX-License-Identifier: BSD-2-Clause
// The other end of virtifd's socket: a call and its answer, or notifications one by one. Blocking; one thread.
#pragma once

#include <string>

#include "hypercall/unique_fd.hpp"
#include "tools/virtifd/rpc.hpp"

namespace vif::tools {

class DaemonClient {
 public:
  // Errors: connect_to's (control_socket.hpp).
  static Result<DaemonClient> connect(const std::string& path);

  // Errors: what virtifd says (ENOTSUP: it does not know the method), ECONNRESET: it went away, EPROTO: that is no
  // virtifd. Notifications that come before the answer are left out.
  Result<Json> call(std::string_view method, const Json& params);

  struct Notification {
    std::string method;
    Json params;
  };
  Result<Notification> next();

 private:
  explicit DaemonClient(host::UniqueFd fd) : fd_(std::move(fd)) {}

  Status send(std::string_view text);
  Result<Json> read_message();

  host::UniqueFd fd_;
  std::string in_;
  std::uint64_t last_id_ = 0;
};

}  // namespace vif::tools
