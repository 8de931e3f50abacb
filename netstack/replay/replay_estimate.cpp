// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/replay_estimate.hpp"

#include <algorithm>

namespace vif::net {
namespace {

using Kind = ReplaySpeed::Kind;

constexpr double kLeastShare = 0.01;  // of less nobody can tell how long the rest takes

Time times(Time one, double factor) {
  const double ns = static_cast<double>(one.count()) * factor;
  return ns < static_cast<double>(ReplaySchedule::kLatest.count()) ? Time(static_cast<std::int64_t>(ns))
                                                                   : ReplaySchedule::kLatest;
}

// How often the captures are played; by the limit, part of a pass. None: for ever.
std::optional<double> passes_in_all(const ReplayPlan& plan, std::uint64_t frames_a_pass) {
  std::optional<double> passes;
  if (plan.passes != ReplayPlan::kForever) passes = static_cast<double>(plan.passes);
  if (plan.frames_max != ReplayPlan{}.frames_max && frames_a_pass > 0) {
    const double limit = static_cast<double>(plan.frames_max) / static_cast<double>(frames_a_pass);
    passes = std::min(passes.value_or(limit), limit);
  }
  return passes;
}

// What is done of it, 0 to 1.
std::optional<double> share_done(const ReplayPlan& plan, const std::optional<ReplayExtent>& extent,
                                 const ReplayProgress& progress) {
  if (extent) {
    const std::optional<double> passes = passes_in_all(plan, extent->frames);
    if (!passes || *passes <= 0 || extent->frames == 0) return std::nullopt;
    return static_cast<double>(progress.frames) / (*passes * static_cast<double>(extent->frames));
  }
  std::optional<double> share;
  if (progress.share_read && plan.passes != ReplayPlan::kForever && progress.passes > 0) {
    share = (static_cast<double>(progress.passes - 1) + *progress.share_read) / static_cast<double>(plan.passes);
  }
  if (plan.frames_max != ReplayPlan{}.frames_max && plan.frames_max > 0) {
    const double given = static_cast<double>(progress.frames) / static_cast<double>(plan.frames_max);
    share = std::max(share.value_or(given), given);
  }
  return share;
}

std::optional<Time> whole_length(const ReplayPlan& plan, const std::optional<ReplayExtent>& extent,
                                 const ReplayProgress& progress) {
  if (plan.speed.kind != Kind::top && extent) {
    const std::optional<double> passes = passes_in_all(plan, extent->frames);
    if (!passes) return std::nullopt;
    return times(extent->length, *passes);
  }
  const std::optional<double> share = share_done(plan, extent, progress);
  if (!share || *share < kLeastShare) return std::nullopt;
  return times(progress.since_start, 1 / std::min(*share, 1.0));
}

}  // namespace

std::optional<ReplayExtent> replay_extent(ReplaySource& source, const ReplayPlan& plan, const BpfProgram& select,
                                          std::uint64_t frames_max) {
  ReplayExtent extent;
  ReplaySchedule schedule(plan.speed, plan.gap_max);
  FrameSelector selector(select);
  for (std::uint64_t read_frames = 0; read_frames <= frames_max;) {
    const Result<std::span<const ReplayFrame>> read = source.read();
    if (!read) return std::nullopt;
    if (read->empty()) {
      extent.length = schedule.due();
      return extent;
    }
    read_frames += read->size();
    for (const ReplayFrame& frame : *read) {
      schedule.next(frame.time_ns);
      if (!selector.wants(frame.record.bytes)) continue;
      schedule.sent(1, frame.record.bytes.size());
      ++extent.frames;
    }
  }
  return std::nullopt;
}

std::optional<Time> replay_time_left(const ReplayPlan& plan, const std::optional<ReplayExtent>& extent,
                                     const ReplayProgress& progress) {
  std::optional<Time> whole = whole_length(plan, extent, progress);
  if (plan.duration) whole = std::min(whole.value_or(*plan.duration), *plan.duration);
  if (!whole) return std::nullopt;
  return std::max(*whole - progress.since_start, Time(0));
}

}  // namespace vif::net
