// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_log.hpp"

#include <algorithm>

namespace vif::net {

void ReplayLog::sent(Bytes frame, Time at) {
  ++bin(at).sent;
  Flow* const of = flow(frame);
  if (of == nullptr) return;
  ++of->sent;
  of->sent_bytes += frame.size();
}

void ReplayLog::received(Bytes frame, Time at, bool failed) {
  Bin& when = bin(at);
  ++when.received;
  when.failed += failed ? 1 : 0;
  Flow* const of = flow(frame);
  if (of == nullptr) return;
  ++of->received;
  of->received_bytes += frame.size();
  of->failed += failed ? 1 : 0;
}

ReplayLog::Bin& ReplayLog::bin(Time at) {
  at = std::max(at, Time(0));
  while (at / bin_width_ >= static_cast<std::int64_t>(kBins)) fold();
  const auto index = static_cast<std::size_t>(at / bin_width_);
  bins_used_ = std::max(bins_used_, index + 1);
  return bins_[index];
}

void ReplayLog::fold() {
  const std::size_t by = folds_by_five_ ? 5 : 2;
  folds_by_five_ = !folds_by_five_;
  bin_width_ *= static_cast<std::int64_t>(by);
  std::array<Bin, kBins> wider{};
  for (std::size_t i = 0; i < bins_used_; ++i) {
    Bin& into = wider[i / by];
    into.sent += bins_[i].sent;
    into.received += bins_[i].received;
    into.failed += bins_[i].failed;
  }
  bins_ = wider;
  bins_used_ = (bins_used_ + by - 1) / by;
}

// Null: one more than are kept.
ReplayLog::Flow* ReplayLog::flow(Bytes frame) {
  const FrameFlow between = FrameFlow::of(frame).either_way();
  auto at = flows_.find(between);
  if (at == flows_.end()) {
    if (flows_.size() == kFlowsKept) {
      ++frames_of_other_flows_;
      return nullptr;
    }
    at = flows_.emplace(between, Flow{.between = between}).first;
  }
  return &at->second;
}

std::vector<ReplayLog::Flow> ReplayLog::busiest(std::size_t most) const {
  std::vector<Flow> flows;
  flows.reserve(flows_.size());
  for (const auto& [between, flow] : flows_) flows.push_back(flow);
  const auto end = flows.begin() + static_cast<std::ptrdiff_t>(std::min(most, flows.size()));
  std::partial_sort(flows.begin(), end, flows.end(), [](const Flow& one, const Flow& other) {
    return one.frames() != other.frames() ? one.frames() > other.frames() : one.between < other.between;
  });
  flows.erase(end, flows.end());
  return flows;
}

}  // namespace vif::net
