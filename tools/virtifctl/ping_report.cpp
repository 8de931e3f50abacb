// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/ping_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vif::tools {
namespace {

constexpr std::uint64_t kIcmpHeaderBytes = 8, kIp4HeaderBytes = 20;

double milliseconds(Time time) { return static_cast<double>(time.count()) / 1e6; }

// As many digits as iputils gives: three that count, and no more than microseconds.
std::string short_ms(Time time) {
  const double ms = milliseconds(time);
  if (ms >= 99.95) return fmt::format("{:.0f}", ms);
  if (ms >= 9.995) return fmt::format("{:.1f}", ms);
  return fmt::format("{:.{}f}", ms, ms >= 0.9995 ? 2 : 3);
}

}  // namespace

void PingReport::replied(Reply reply) {
  const double ms = milliseconds(reply.took);
  min_ms_ = replies_ == 0 ? ms : std::min(min_ms_, ms);
  max_ms_ = std::max(max_ms_, ms);
  sum_ms_ += ms;
  squares_ms_ += ms * ms;
  ++replies_;
  kept_.push_back(std::move(reply));
}

std::string PingReport::heading() const {
  if (to_.find(':') != std::string::npos) return fmt::format("PING {}({}) {} data bytes", to_, to_, data_bytes_);
  return fmt::format("PING {} ({}) {}({}) bytes of data.", to_, to_, data_bytes_,
                     data_bytes_ + kIcmpHeaderBytes + kIp4HeaderBytes);
}

std::string PingReport::line(const Reply& reply) {
  return fmt::format("{} bytes from {}: icmp_seq={} ttl={} time={} ms", reply.bytes + kIcmpHeaderBytes, reply.from,
                     reply.sequence, reply.ttl, short_ms(reply.took));
}

double PingReport::loss_percent() const {
  return sent_ == 0 ? 0 : 100.0 * static_cast<double>(sent_ - std::min(sent_, replies_)) / static_cast<double>(sent_);
}

PingReport::RoundTrip PingReport::round_trip() const {
  const auto n = static_cast<double>(replies_);
  const double avg = sum_ms_ / n;
  return {min_ms_, avg, max_ms_, std::sqrt(std::max(squares_ms_ / n - avg * avg, 0.0))};
}

std::string PingReport::statistics(Time took) const {
  std::string text = fmt::format(
      "\n--- {} ping statistics ---\n{} packets transmitted, {} received, {:.6g}% packet loss, time {:.0f}ms\n", to_,
      sent_, replies_, loss_percent(), milliseconds(took));
  if (replies_ == 0) return text + "\n";
  const RoundTrip rtt = round_trip();
  return text +
         fmt::format("rtt min/avg/max/mdev = {:.3f}/{:.3f}/{:.3f}/{:.3f} ms\n", rtt.min, rtt.avg, rtt.max, rtt.mdev);
}

Json PingReport::json(Time took) const {
  Json rtt = nullptr;
  if (replies_ != 0) {
    const RoundTrip ms = round_trip();
    rtt = {{"min", ms.min}, {"avg", ms.avg}, {"max", ms.max}, {"mdev", ms.mdev}};
  }
  Json replies = Json::array();
  for (const Reply& reply : kept_) {
    replies.push_back({{"seq", reply.sequence},
                       {"from", reply.from},
                       {"bytes", reply.bytes},
                       {"ttl", reply.ttl},
                       {"time_ms", milliseconds(reply.took)}});
  }
  return {{"to", to_},
          {"bytes", data_bytes_},
          {"transmitted", sent_},
          {"received", replies_},
          {"loss_percent", loss_percent()},
          {"time_ms", milliseconds(took)},
          {"rtt_ms", std::move(rtt)},
          {"replies", std::move(replies)}};
}

}  // namespace vif::tools
