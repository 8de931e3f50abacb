// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/io_ring.hpp"

#include <array>
#include <cerrno>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

Error ring_error(int negative, const char* what) {
  errno = -negative;
  return host_error(what);
}

}  // namespace

Result<std::unique_ptr<IoRing>> IoRing::create(unsigned entries, unsigned completions) {
  constexpr std::array<unsigned, 3> kWays = {
      IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
      IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_COOP_TASKRUN,
      IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
  };
  std::unique_ptr<IoRing> ring(new IoRing);
  ring->ring_.ring_fd = -1;
  int answer = -EINVAL;
  for (const unsigned flags : kWays) {
    io_uring_params params{};
    params.flags = flags;
    params.cq_entries = completions;
    answer = ::io_uring_queue_init_params(entries, &ring->ring_, &params);
    if (answer != -EINVAL) break;  // EINVAL: a flag it does not know
  }
  if (answer >= 0) return ring;
  ring->ring_.ring_fd = -1;
  return ring_error(answer, "no io_uring");
}

IoRing::~IoRing() {
  if (ring_.ring_fd < 0) return;
  // Else the kernel lets go of the file when it gets round to it, and a device whose last user we were stays till then.
  if (has_file_) ::io_uring_unregister_files(&ring_);
  ::io_uring_queue_exit(&ring_);
}

Status IoRing::register_file(int fd) {
  const int answer = ::io_uring_register_files(&ring_, &fd, 1);
  if (answer < 0) return ring_error(answer, "cannot register a file with io_uring");
  has_file_ = true;
  return {};
}

}  // namespace vif::host
