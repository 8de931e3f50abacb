// SPDX-License-Identifier: BSD-2-Clause
// The frames of a virtifd's interfaces, as they pass: the client's end of `capture` (docs/protocol.md). One thread.
#pragma once

#include <string>
#include <vector>

#include "hypercall/host/capture/capture_record.hpp"
#include "hypercall/unique_fd.hpp"
#include "netstack/mac_address.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

class CaptureSource {
 public:
  struct Interface {
    std::string name;
    std::string linkstr;  // empty: none
    std::uint64_t mtu_bytes = 0;
    net::MacAddress address;
  };

  // Errors: connect_to's, and what virtifd says to `params`; EINVAL: they make no sense to it.
  static Result<CaptureSource> open(const std::string& socket_path, const Json& params);

  const std::vector<Interface>& interfaces() const { return interfaces_; }
  std::int64_t begun_ns() const { return begun_ns_; }       // since 1970-01-01 UTC
  std::uint32_t snap_bytes() const { return snap_bytes_; }  // frames are cut to that
  int fd() const { return fd_.get(); }                      // readable: more has come

  // Waits for more to come. False: there is no more. Errors: the host's.
  Result<bool> read();
  // The next that has come, borrowed until read(); nullopt: read() first. EPROTO: that is no virtifd.
  Result<std::optional<host::CaptureRecord>> next();

  // Says that no more is wanted: what has passed until now still comes, and the tallies.
  void end();

 private:
  CaptureSource(host::UniqueFd fd, std::string come) : fd_(std::move(fd)), in_(std::move(come)) {}
  Status take_answer(const Json& answer);

  host::UniqueFd fd_;
  std::string in_;
  std::size_t taken_bytes_ = 0;  // of in_, by next()
  std::vector<Interface> interfaces_;
  std::int64_t begun_ns_ = 0;
  std::uint32_t snap_bytes_ = 0;
};

}  // namespace vif::tools
