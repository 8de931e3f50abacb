// SPDX-License-Identifier: BSD-2-Clause
// A file's write indices: 0, 1, 2 ... in the order of registering. One thread adds, any number look up meanwhile
// without a lock: what is there never moves.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "services/trace/status_page.hpp"
#include "services/trace/user_event.hpp"

namespace vif::trace {

class EventSlots {
 public:
  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }

  // `index` is below count().
  UserEvent& operator[](std::uint32_t index) const {
    const auto [chunk, place] = split(index);
    return *chunks_[chunk][place];
  }

  // Its index. A file has each event once, so there is always room.
  std::uint32_t add(UserEvent& event) {
    const std::uint32_t index = count_.load(std::memory_order_relaxed);
    const auto [chunk, place] = split(index);
    if (place == 0) chunks_[chunk] = std::make_unique<UserEvent*[]>(kFirstChunk << chunk);
    chunks_[chunk][place] = &event;
    count_.store(index + 1, std::memory_order_release);
    return index;
  }

 private:
  static constexpr std::uint32_t kFirstChunk = 16;
  static constexpr std::size_t kChunks = 12;  // 16, 32 ... 32768: 65520 places
  static_assert((kFirstChunk << kChunks) - kFirstChunk >= kGroupEventsMax);

  struct Place {
    std::uint32_t chunk, place;
  };
  // Chunk c begins at index 16 * (2^c - 1).
  static Place split(std::uint32_t index) {
    const std::uint32_t chunk = static_cast<std::uint32_t>(std::bit_width(index / kFirstChunk + 1)) - 1;
    return {chunk, index - kFirstChunk * ((1U << chunk) - 1)};
  }

  std::array<std::unique_ptr<UserEvent*[]>, kChunks> chunks_;
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace vif::trace
