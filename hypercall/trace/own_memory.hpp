// SPDX-License-Identifier: BSD-2-Clause
// The memory of this program itself, for events that it registers. An address that is not there ends the program, as it
// does in any other call. Any thread.
#pragma once

#include <atomic>
#include <cstring>

#include "services/trace/caller_memory.hpp"

namespace vif::host {

class OwnMemory final : public trace::CallerMemory {
 public:
  bool read(std::uint64_t address, MutBytes into) const override {
    std::memcpy(into.data(), at<std::byte>(address), into.size());
    return true;
  }
  bool write(std::uint64_t address, Bytes bytes) override {
    std::memcpy(at<std::byte>(address), bytes.data(), bytes.size());
    return true;
  }
  bool set_bit(std::uint64_t address, std::size_t size, unsigned bit, bool on) override {
    if (size == sizeof(std::uint64_t)) set<std::uint64_t>(address, bit, on);
    else set<std::uint32_t>(address, bit, on);
    return true;
  }

 private:
  template <class T>
  static T* at(std::uint64_t address) {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
  }
  template <class T>
  static void set(std::uint64_t address, unsigned bit, bool on) {
    const std::atomic_ref<T> word(*at<T>(address));
    if (on) word.fetch_or(T{1} << bit, std::memory_order_release);
    else word.fetch_and(~(T{1} << bit), std::memory_order_release);
  }
};

}  // namespace vif::host
