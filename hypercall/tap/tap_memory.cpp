// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/tap/tap_memory.hpp"

#include <sys/mman.h>

#include <utility>

#include "hypercall/host_error.hpp"

namespace vif::host {

Result<TapMemory> TapMemory::create() {
  constexpr std::size_t kBytes = kNearBytes + kFarSlots * kFarStride;
  void* const at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return host_error("no address space for a TAP's frames");
  ::madvise(at, kBytes, MADV_NOHUGEPAGE);  // one small frame must not cost 2 MiB
  return TapMemory({static_cast<std::byte*>(at), kBytes});
}

TapMemory::TapMemory(TapMemory&& other) noexcept : all_(std::exchange(other.all_, {})) {}

TapMemory::~TapMemory() {
  if (!all_.empty()) ::munmap(all_.data(), all_.size());
}

}  // namespace vif::host
