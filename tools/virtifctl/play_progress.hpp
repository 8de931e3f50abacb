// SPDX-License-Identifier: BSD-2-Clause
// Says on a terminal how far a replay is, and how long the rest will take where that can be known. One thread.
#pragma once

#include "hypercall/replay/link_replay.hpp"
#include "netstack/replay/replay_estimate.hpp"
#include "tools/virtifctl/counted_files.hpp"

namespace vif::tools {

class PlayProgress {
 public:
  static constexpr Time kEvery = std::chrono::milliseconds(250);  // between two calls of show()

  // Reads short captures beforehand, from `files`; the replay reads them from `captures`, which outlives this.
  PlayProgress(const host::LinkReplayRequest& request, FilesPort& files, const CountedFiles& captures);

  void show(const net::ReplayTotals& totals, Time since_start);
  void clear() const;

 private:
  static constexpr std::uint64_t kFramesBeforehand = 100'000;  // some 50 ms

  std::string left_text(const net::ReplayTotals& totals, Time since_start) const;

  const bool terminal_;
  const net::ReplayPlan plan_;
  const CountedFiles& captures_;
  std::optional<net::ReplayExtent> extent_;
  std::uint64_t shown_frames_ = 0;
};

}  // namespace vif::tools
