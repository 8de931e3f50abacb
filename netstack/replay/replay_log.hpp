// SPDX-License-Identifier: BSD-2-Clause
// What a replay was like, for a report: when frames went and came, and between whom, in memory that does not grow with
// the capture. A plain value that hears of every frame; one thread at a time.
#pragma once

#include <array>
#include <span>
#include <unordered_map>
#include <vector>

#include "netstack/base/ports.hpp"
#include "netstack/replay/frame_flow.hpp"

namespace vif::net {

class VIF_API ReplayLog {
 public:
  static constexpr std::size_t kBins = 400;
  static constexpr std::size_t kFlowsKept = 10'000;  // the first ones

  struct Bin {
    std::uint64_t sent = 0, received = 0;  // frames
    std::uint64_t failed = 0;              // of those received: not as expected
  };
  struct Flow {
    FrameFlow between;                     // either way
    std::uint64_t sent = 0, received = 0;  // frames
    std::uint64_t sent_bytes = 0, received_bytes = 0;
    std::uint64_t failed = 0;  // of those received
    std::uint64_t frames() const { return sent + received; }
  };

  // A frame went, or came, so long after the replay began.
  void sent(Bytes frame, Time at);
  void received(Bytes frame, Time at, bool failed);

  // One after the other from the replay's begin on; up to the last one with a frame. How long each is: 1, 2, 10, 20,
  // 100 ... us, the first of these with which kBins are enough.
  std::span<const Bin> bins() const { return {bins_.data(), bins_used_}; }
  Time bin_width() const { return bin_width_; }

  std::size_t flows() const { return flows_.size(); }
  // At most so many of those kept, those of the most frames first.
  std::vector<Flow> busiest(std::size_t most) const;
  std::uint64_t frames_of_other_flows() const { return frames_of_other_flows_; }  // of those not kept

 private:
  Bin& bin(Time at);
  Flow* flow(Bytes frame);
  void fold();

  std::array<Bin, kBins> bins_{};
  std::size_t bins_used_ = 0;
  Time bin_width_ = std::chrono::microseconds(1);
  bool folds_by_five_ = false;  // the next time
  std::unordered_map<FrameFlow, Flow, FrameFlowHash> flows_;
  std::uint64_t frames_of_other_flows_ = 0;
};

}  // namespace vif::net
