// SPDX-License-Identifier: BSD-2-Clause
// The page of bits that programs map to see which of a group's events are enabled: bit n of the page is event n's. The
// control side writes; every thread and process that has it mapped may read.
#pragma once

#include <atomic>
#include <cstdint>

#include "netstack/base/bytes.hpp"
#include "services/trace/pages_port.hpp"

namespace vif::trace {

inline constexpr std::uint32_t kStatusBits = kPageBytes * 8;       // MAX_EVENTS of Linux 6.1 to 6.3
inline constexpr std::uint32_t kGroupEventsMax = kStatusBits - 1;  // bit 0 is never used: it says "not registered"

class StatusPage {
 public:
  explicit StatusPage(PagesPort& port) : pages_(port, kPageBytes) {}

  Bytes bytes() const { return pages_.bytes(); }  // empty: there was no memory
  void set(std::uint32_t bit, bool on) {
    std::atomic_ref byte(reinterpret_cast<std::uint8_t&>(pages_.bytes()[bit >> 3]));
    const auto mask = static_cast<std::uint8_t>(1U << (bit & 7));
    if (on) byte.fetch_or(mask, std::memory_order_release);
    else byte.fetch_and(static_cast<std::uint8_t>(~mask), std::memory_order_release);
  }

  // As a reader of the mapping does it.
  static bool test(Bytes page, std::uint32_t bit) {
    const std::atomic_ref byte(reinterpret_cast<std::uint8_t&>(const_cast<std::byte&>(page[bit >> 3])));
    return (byte.load(std::memory_order_acquire) & (1U << (bit & 7))) != 0;
  }

 private:
  Pages pages_;
};

}  // namespace vif::trace
