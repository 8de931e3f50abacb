// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/writers_at_rest.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace vif::host {
namespace {

constexpr auto kBarrierPause = std::chrono::milliseconds(10);
constexpr auto kSectionPause = std::chrono::microseconds(10);

// All threads of this process pass a memory barrier: membarrier(2).
void pass_barrier() {
  static const bool registered = ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  if (registered && ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  // A sandbox that knows no membarrier: every store buffer is long since empty by then.
  std::this_thread::sleep_for(kBarrierPause);
}

}  // namespace

void await_writers(std::span<trace::Writer* const> writers) {
  pass_barrier();
  for (const trace::Writer* const writer : writers) {
    while (writer->busy()) std::this_thread::sleep_for(kSectionPause);
  }
}

}  // namespace vif::host
