// SPDX-License-Identifier: BSD-2-Clause
// What `virtifctl ping` says, in the words of ping(8) of iputils, and the sums it says at the end. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netstack/base/ports.hpp"
#include "tools/control/rpc.hpp"

namespace vif::tools {

class PingReport {
 public:
  struct Reply {
    std::uint64_t sequence;
    std::string from;
    std::uint64_t bytes, ttl;  // bytes of data, without the ICMP header
    Time took;
  };

  PingReport(std::string to, std::uint64_t data_bytes) : to_(std::move(to)), data_bytes_(data_bytes) {}

  void sent() { ++sent_; }
  void replied(Reply reply);
  std::size_t replies() const { return replies_; }

  std::string heading() const;
  static std::string line(const Reply& reply);
  // `took`: from the first request to the end.
  std::string statistics(Time took) const;
  // {"to", "bytes", "transmitted", "received", "loss_percent", "time_ms", "rtt_ms": {"min", "avg", "max", "mdev"} or
  // null, "replies": [{"seq", "from", "bytes", "ttl", "time_ms"}]}
  Json json(Time took) const;

 private:
  struct RoundTrip {
    double min, avg, max, mdev;  // milliseconds
  };
  RoundTrip round_trip() const;
  double loss_percent() const;

  const std::string to_;
  const std::uint64_t data_bytes_;
  std::uint64_t sent_ = 0, replies_ = 0;
  double sum_ms_ = 0, squares_ms_ = 0, min_ms_ = 0, max_ms_ = 0;
  std::vector<Reply> kept_;  // for json()
};

}  // namespace vif::tools
