// SPDX-License-Identifier: BSD-2-Clause
// The need for memory that others may look into: status pages, ring buffers. hypercall/trace/ maps it.
#pragma once

#include <cstddef>

#include "netstack/base/bytes.hpp"

namespace vif::trace {

inline constexpr std::size_t kPageBytes = 4096;

// One thread at a time, that of the Tracing it was given to.
class PagesPort {
 public:
  virtual ~PagesPort() = default;
  // `bytes`, a multiple of kPageBytes, of zeros, aligned to a page, until unmap(); none when there is no memory.
  virtual MutBytes map(std::size_t bytes) = 0;
  virtual void unmap(MutBytes pages) = 0;
};

// Mapped as long as this lives, which is shorter than the port.
class Pages {
 public:
  Pages(PagesPort& port, std::size_t bytes) : port_(port), bytes_(port.map(bytes)) {}
  ~Pages() {
    if (!bytes_.empty()) port_.unmap(bytes_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  MutBytes bytes() const { return bytes_; }  // empty: there was no memory

 private:
  PagesPort& port_;
  MutBytes bytes_;
};

}  // namespace vif::trace
