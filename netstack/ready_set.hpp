// SPDX-License-Identifier: BSD-2-Clause
// Which of a domain's interfaces have something to do: one bit each, set from any thread, taken by the owner in slot
// order. A thousand idle interfaces cost sixteen loads.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

namespace vif::net {

class ReadySet {
 public:
  explicit ReadySet(std::size_t slots)
      : words_((slots + 63) / 64), bits_(std::make_unique<std::atomic<std::uint64_t>[]>(words_)) {}

  // Any thread. Sequentially consistent, as the sleeping owner's check in any() must not miss it.
  void mark(std::size_t slot) { bits_[slot / 64].fetch_or(std::uint64_t{1} << slot % 64); }

  bool any() const {
    for (std::size_t w = 0; w < words_; ++w) {
      if (bits_[w].load() != 0) return true;
    }
    return false;
  }

  // The owner's thread: unmarks every slot that is marked now and calls `visit(slot)`, lowest first.
  template <class Visit>
  void take(Visit visit) {
    for (std::size_t w = 0; w < words_; ++w) {
      if (bits_[w].load(std::memory_order_relaxed) == 0) continue;
      for (std::uint64_t word = bits_[w].exchange(0); word != 0; word &= word - 1) {
        visit(w * 64 + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

 private:
  std::size_t words_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> bits_;
};

}  // namespace vif::net
