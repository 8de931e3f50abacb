// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/fwu/fwu_narrator.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "hypercall/linux_ports.hpp"
#include "tools/virtifctl/fwu/fwu_text.hpp"

namespace vif::tools {

FwuNarrator::FwuNarrator(Tone tone)
    : speaks_(tone == Tone::speaks),
      shows_progress_(speaks_ && ::isatty(STDERR_FILENO) == 1),
      begin_(host::LinuxClock().now()) {}

void FwuNarrator::step(const std::string& what) {
  if (speaks_) fmt::print(stderr, "{}{}\n", shows_progress_ ? "\r\033[K" : "", fwu_printable(what));
}

void FwuNarrator::progress(std::uint64_t done, std::uint64_t total) {
  constexpr double kMiB = 1024.0 * 1024.0;
  constexpr Time kEach = std::chrono::milliseconds(100);
  const Time now = host::LinuxClock().now();
  if (!shows_progress_ || (now - shown_ < kEach && done != total)) return;
  shown_ = now;
  const std::chrono::duration<double> spent = now - begin_;
  const double rate = static_cast<double>(done) / std::max(spent.count(), 1e-3);
  if (total == 0)
    return fmt::print(stderr, "\r{:.1f} MiB, {:.1f} MiB/s\033[K", static_cast<double>(done) / kMiB, rate / kMiB);
  fmt::print(stderr, "\r{:3}% {:.1f} MiB/s, {:.0f} s left\033[K", done * 100 / total, rate / kMiB,
             static_cast<double>(total - done) / std::max(rate, 1.0));
}

}  // namespace vif::tools
