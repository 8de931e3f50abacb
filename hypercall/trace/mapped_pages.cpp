// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/trace/mapped_pages.hpp"

#include <sys/mman.h>

namespace vif::host {

MutBytes MappedPages::map(std::size_t bytes) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? MutBytes() : MutBytes(static_cast<std::byte*>(at), bytes);
}

void MappedPages::unmap(MutBytes pages) { (void)::munmap(pages.data(), pages.size()); }

}  // namespace vif::host
