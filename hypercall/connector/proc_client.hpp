// SPDX-License-Identifier: BSD-2-Clause
// The other end of virtifd's socket for process events: requests out, records in, many to a datagram. Blocking; one
// thread. What is asked and told is in services/connector/control.hpp and proc_event.hpp.
#pragma once

#include <string>
#include <vector>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "services/connector/control.hpp"

namespace vif::host {

class VIF_API ProcClient {
 public:
  // ENOENT, ECONNREFUSED: nobody tells of process events there.
  static Result<ProcClient> connect(const std::string& path);

  // Sends a request and waits for its answer; what is told meanwhile is kept for next(). Errors: what is answered, and
  // next()'s.
  Status ask(const cn::Request& request);

  struct Told {
    cn::ProcEvent event;  // of kind lost: so many are missing here
    cn::Extension extension;
    std::uint32_t ack = 0;  // of an answer
  };
  // The next one; waits for it. ECONNRESET: the other end went away; EPROTO: it speaks otherwise.
  Result<Told> next();
  // Whether next() would wait.
  bool waits() const { return at_ == datagram_.size() && kept_.empty(); }

  int fd() const { return fd_.get(); }  // readable: the next datagram is there

 private:
  explicit ProcClient(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<Told> read_next();
  Status read_datagram();

  UniqueFd fd_;
  std::vector<std::byte> datagram_;
  std::size_t at_ = 0;  // what of it is read
  std::vector<Told> kept_;
  std::uint32_t last_ack_ = 0;
};

}  // namespace vif::host
