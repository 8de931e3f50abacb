// SPDX-License-Identifier: BSD-2-Clause
// user_events_data as a program sees it that speaks the kernel's ABI: ioctl numbers, packed structs, pointers, an index
// before each payload. On the same events as everything else. Era bits is that of Linux 6.1 to 6.3, era address that of
// 6.4 and later; a handle keeps to one. ioctl() is the control side's, one thread at a time; writes are any thread's.
#pragma once

#include <cstdint>
#include <span>

#include "netstack/base/api.hpp"
#include "services/trace/caller_memory.hpp"
#include "services/trace/tracing.hpp"
#include "services/trace/user_reg.hpp"

namespace vif::trace {

// struct iovec, in the caller's terms.
struct CallerSlice {
  std::uint64_t address;
  std::size_t bytes;
};

// Whether the caller may make events outlive their users (CAP_PERFMON).
enum class Privilege : std::uint8_t { none, may_persist };

class VIF_API KernelAbi {
 public:
  // All three are borrowed for as long as this lives.
  KernelAbi(Tracing& tracing, DataFile& file, CallerMemory& memory, Era era, Privilege privilege)
      : tracing_(tracing), file_(file), memory_(memory), era_(era), privilege_(privilege) {}

  // 0 or a positive errno: EFAULT a pointer that cannot be followed, EINVAL and E2BIG a struct of a wrong size or
  // content, EPERM no privilege for what outlives its users, ENOTTY another request; EADDRINUSE also when that bit of
  // that address is registered; and what DataFile::add and remove say. Values for the caller that cannot be written are
  // not written.
  [[nodiscard]] int ioctl(std::uint64_t request, std::uint64_t argument);

  struct Written {
    std::size_t bytes;  // all of them, or 0
    int error;
  };
  // A native-order signed write index, then the payload, cut anywhere. EFAULT: fewer than 4 bytes, or not readable; for
  // write() also a position other than 0, because pwrite makes no sense here. Else what DataFile::write says.
  Written write(Writer& writer, const CallerSlice& slice, std::int64_t position) const;
  Written writev(Writer& writer, std::span<const CallerSlice> slices) const;

 private:
  int register_bits(std::uint64_t argument);
  int register_address(std::uint64_t argument);
  int remove(std::uint64_t name);
  int unregister(std::uint64_t argument);
  Result<std::string> read_text(std::uint64_t address) const;
  int read_struct(std::uint64_t address, MutBytes into) const;

  Tracing& tracing_;
  DataFile& file_;
  CallerMemory& memory_;
  Era era_;
  Privilege privilege_;
};

}  // namespace vif::trace
