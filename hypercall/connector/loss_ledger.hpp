// SPDX-License-Identifier: BSD-2-Clause
// How many of the kernel's events are missing, from two witnesses: each processor numbers what it sends, which shows
// where some are missing, and the socket counts what it had no room for, which shows how many. Neither is counted
// twice, and what is told in all is what the kernel dropped. A value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace vif::host {

class LossLedger {
 public:
  // An event that has come; how many to tell of as lost before it.
  std::uint64_t arrived(std::uint32_t cpu, std::uint32_t seq) {
    if (next_.size() <= cpu) next_.resize(std::min<std::size_t>(cpu, kCpusMax) + 1);
    if (cpu >= next_.size()) return 0;
    Next& next = next_[cpu];
    const std::uint32_t gap = seq - next.seq;
    const bool seen = std::exchange(next.seen, true);
    next.seq = seq + 1;
    // The first tells nothing of what was before; one that goes back is another count's.
    if (seen && gap < kGapMax) gaps_ += gap;
    return tell(gaps_);
  }
  // What the socket counts by now; how many to tell of as lost here.
  std::uint64_t dropped(std::uint64_t total) { return tell(total); }

  std::uint64_t told() const { return told_; }

 private:
  static constexpr std::uint32_t kGapMax = 1U << 31;
  static constexpr std::uint32_t kCpusMax = 8192;  // CONFIG_NR_CPUS at its largest

  struct Next {
    std::uint32_t seq = 0;
    bool seen = false;
  };
  std::uint64_t tell(std::uint64_t total) {
    if (total <= told_) return 0;
    return total - std::exchange(told_, total);
  }

  std::vector<Next> next_;  // by processor
  std::uint64_t gaps_ = 0, told_ = 0;
};

}  // namespace vif::host
