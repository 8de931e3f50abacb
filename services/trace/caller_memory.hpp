// SPDX-License-Identifier: BSD-2-Clause
// The memory of the program that speaks user_events' ABI: what its pointers point to. In a test an array with holes;
// for a program itself, its own; for a client in another process, whatever reaches there.
#pragma once

#include <cstdint>

#include "netstack/base/bytes.hpp"

namespace vif::trace {

// Addresses as the caller has them. One thread at a time; write() calls of several threads may overlap.
class CallerMemory {
 public:
  virtual ~CallerMemory() = default;
  // Fills `into` from there. False: some of it is not readable.
  virtual bool read(std::uint64_t address, MutBytes into) const = 0;
  // All or nothing. False: some of it is not writable.
  virtual bool write(std::uint64_t address, Bytes bytes) = 0;
  // Sets or clears one bit of the native-order integer of `size` bytes (4 or 8) there, as one atomic step for the
  // caller's threads. False: not writable.
  virtual bool set_bit(std::uint64_t address, std::size_t size, unsigned bit, bool on) = 0;
};

}  // namespace vif::trace
