// SPDX-License-Identifier: BSD-2-Clause
// A file that a network brings: kept on disk without a name, so that nothing is left of it however the process ends,
// and hashed while it arrives. One thread.
#pragma once

#include <memory>
#include <string>

#include "hypercall/digest.hpp"
#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

class Spool {
 public:
  // In `folder`. Errors: the host's.
  static Result<std::unique_ptr<Spool>> create(const std::string& folder);

  // Errors: the host's (ENOSPC ...).
  Status append(Bytes bytes);

  std::uint64_t bytes() const { return bytes_; }
  // SHA-256 of all; once, at the end.
  std::string sha256() { return digest_.hex(); }
  // Where it can be opened as long as this lives.
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  Spool(UniqueFd fd, std::string folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}

  UniqueFd fd_;
  std::string folder_;
  Sha256 digest_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vif::host
