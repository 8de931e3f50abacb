// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/play_progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace vif::tools {

PlayProgress::PlayProgress(const host::LinkReplayRequest& request, FilesPort& files, const CountedFiles& captures)
    : terminal_(::isatty(STDERR_FILENO) == 1), plan_(request.plan), captures_(captures) {
  std::error_code unknown;
  const auto is_file = [&](const std::string& path) { return std::filesystem::is_regular_file(path, unknown); };
  // What cannot be read twice is not read beforehand.
  if (!terminal_ || !std::all_of(request.captures.begin(), request.captures.end(), is_file)) return;
  auto source = net::MergedCaptures::open(files, request.captures);
  if (source) extent_ = net::replay_extent(**source, plan_, request.select, kFramesBeforehand);
}

void PlayProgress::show(const net::ReplayTotals& totals, Time since_start) {
  if (!terminal_) return;
  const double seconds = std::chrono::duration<double>(kEvery).count();
  const auto rate = static_cast<double>(totals.wire_frames - shown_frames_) / seconds;
  shown_frames_ = totals.wire_frames;
  fmt::print(stderr, "\r\033[K{} frames, {} MB, {:.0f} frames/s, pass {}{}", totals.wire_frames,
             totals.wire_bytes / 1'000'000, rate, totals.passes, left_text(totals, since_start));
}

void PlayProgress::clear() const {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

std::string PlayProgress::left_text(const net::ReplayTotals& totals, Time since_start) const {
  if (totals.passes == 0) return ", waiting for the carrier";
  const std::optional<Time> left = net::replay_time_left(plan_, extent_,
                                                         {.since_start = since_start,
                                                          .frames = totals.records,
                                                          .passes = totals.passes,
                                                          .share_read = captures_.share_read()});
  if (!left) return "";
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*left).count();
  if (seconds < 100) return fmt::format(", {} s left", seconds);
  if (seconds < 3600) return fmt::format(", {} min left", (seconds + 59) / 60);
  return fmt::format(", {} h {} min left", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace vif::tools
