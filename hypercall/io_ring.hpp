// SPDX-License-Identifier: BSD-2-Clause
// An io_uring of one thread's, in the best way this kernel has, or none at all: what uses it must do without where
// create() fails. The thread that creates it is the only one that may submit (the kernel says EEXIST to others).
#pragma once

#include <liburing.h>

#include <memory>

#include "hypercall/unique_fd.hpp"
#include "netstack/base/result.hpp"

namespace vif::host {

class IoRing {
 public:
  // `entries` submissions fit, `completions` answers (at least 2 x entries). Completions are worked off in the
  // submitter's own calls where the kernel can do that (SINGLE_ISSUER and DEFER_TASKRUN, since 6.1). Errors: ENOSYS or
  // EPERM where io_uring is not to be had, else io_uring_setup(2)'s.
  static Result<std::unique_ptr<IoRing>> create(unsigned entries, unsigned completions);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  // For liburing's own calls.
  io_uring* raw() { return &ring_; }
  // Readable (in epoll's sense) when there are completions, or work that io_uring_get_events would do.
  int fd() const { return ring_.ring_fd; }
  bool deferred() const { return (ring_.flags & IORING_SETUP_DEFER_TASKRUN) != 0; }
  // "io_uring (DEFER_TASKRUN)" or "io_uring": for OpenLink::chosen.
  const char* words() const { return deferred() ? "io_uring (DEFER_TASKRUN)" : "io_uring"; }

  // Makes `fd` the ring's file 0, for IOSQE_FIXED_FILE; let go when the ring is. Errors: io_uring_register(2)'s.
  Status register_file(int fd);

 private:
  IoRing() = default;

  io_uring ring_{};
  bool has_file_ = false;
};

}  // namespace vif::host
