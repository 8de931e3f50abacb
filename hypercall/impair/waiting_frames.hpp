// SPDX-License-Identifier: BSD-2-Clause
// Frames on their way through an impaired link: copies in a pool of their own, taken out in the order they are due. All
// memory is taken when it is made. One thread, the domain's.
#pragma once

#include <optional>
#include <vector>

#include "netstack/base/ports.hpp"
#include "netstack/mbuf_pool.hpp"
#include "virtif/link.hpp"

namespace vif::host {

struct WaitingFrame {
  Time due{};
  std::uint64_t order = 0;   // of frames due at one time the lowest goes first
  net::MbufPtr packet = {};  // in one piece; its pkthdr holds what came with it
  bool duplicate = false;    // nobody sent it: when it comes to nothing, nobody misses it
};

class WaitingFrames {
 public:
  // Room for `frames_max`; of those above 1.9 KB for 1024 at most, above 10 KB for 256, above 64 KB for 16.
  explicit WaitingFrames(std::uint32_t frames_max);

  // A copy of `frame` for push(); null: full.
  net::MbufPtr copy(const drv::TxFrame& frame);
  void push(WaitingFrame frame);

  std::optional<Time> next_due() const;
  // Those due at `now`, earliest first, as many as there is room for.
  std::size_t take_due(Time now, std::span<WaitingFrame> into);

  // Lets all go; how many there were but duplicates.
  std::uint64_t clear();

 private:
  static bool later(const WaitingFrame& a, const WaitingFrame& b) {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }

  const std::size_t frames_max_;
  net::MbufPool pool_;
  std::vector<WaitingFrame> heap_;  // the earliest first
};

}  // namespace vif::host
