// SPDX-License-Identifier: BSD-2-Clause
// A count with one writer, readable from every thread. Adding costs a plain load and store: no locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace vif {

class Counter {
 public:
  void add(std::uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }  // the owner's thread only
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }       // any thread
  void reset() { value_.store(0, std::memory_order_relaxed); }                       // the owner's thread only

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace vif
