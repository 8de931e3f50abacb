// SPDX-License-Identifier: BSD-2-Clause
// Small numbers to give away: 1 to a limit, each to one owner. Taking and giving back cost a few words' look. One
// thread at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vif::trace {

class IndexSet {
 public:
  // 1 .. `last`; 0 is nobody's, so that it can say "none".
  explicit IndexSet(std::uint32_t last) : last_(last), taken_(last / 64 + 1) { taken_[0] = 1; }

  // The lowest free one, up to `limit`; 0 when there is none.
  std::uint32_t take_lowest(std::uint32_t limit) { return take(lowest_, limit); }

  // The free one after the one that was taken last, so that a number stays unused as long as can be; 0: there is none.
  std::uint32_t take_next() {
    std::uint32_t index = take(last_taken_ + 1, last_);
    if (index == 0) index = take(1, last_);
    if (index != 0) last_taken_ = index;
    return index;
  }

  void give_back(std::uint32_t index) {
    taken_[index / 64] &= ~(std::uint64_t{1} << index % 64);
    if (index < lowest_) lowest_ = index;
  }

 private:
  std::uint32_t take(std::uint32_t from, std::uint32_t limit) {
    std::uint32_t index = from;
    while (index <= limit) {
      const std::uint64_t free = ~taken_[index / 64] >> index % 64;
      if (free != 0) {
        index += static_cast<std::uint32_t>(std::countr_zero(free));
        break;
      }
      index = (index / 64 + 1) * 64;
    }
    if (index > limit) return 0;
    taken_[index / 64] |= std::uint64_t{1} << index % 64;
    if (from <= lowest_) lowest_ = index + 1;
    return index;
  }

  std::uint32_t last_;
  std::vector<std::uint64_t> taken_;
  std::uint32_t lowest_ = 1;      // none below is free
  std::uint32_t last_taken_ = 0;  // by take_next()
};

}  // namespace vif::trace
