// SPDX-License-Identifier: BSD-2-Clause
// The simulated host: virtual time, seeded chance, scripted events. Single-threaded and deterministic: two hosts given
// the same calls do the same, to the byte. What real hypercalls do to the outside is recorded here instead.
#pragma once

#include <memory>
#include <vector>

#include "netstack/domain.hpp"

namespace vif::host::sim {

class VIF_API SimClock final : public ClockPort {
 public:
  Time now() override { return now_; }
  std::int64_t wall_ns() override { return kWallEpochNs + now_.count(); }
  void set(Time now) { now_ = now; }

 private:
  static constexpr std::int64_t kWallEpochNs =
      1'000'000'000'000'000'000;  // 2001-09-09, so that stamps look like stamps
  Time now_{};
};

class VIF_API SimRandom final : public RandomPort {
 public:
  explicit SimRandom(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t next() override;

 private:
  const std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

class VIF_API SimHost {
 public:
  explicit SimHost(std::uint64_t seed) : random(seed) {}

  SimClock clock;
  SimRandom random;

  // A domain on this host; polled in the order they were made.
  net::Domain& add_domain(const net::Domain::Config& config = {});

  // Something the outside world does at `when`: a frame arriving, a cable pulled.
  void at(Time when, std::function<void()> event);

  // Polls every domain until none has more to do, without time passing.
  void settle();
  // Lets virtual time pass up to `end`, stopping at each callout and event on the way.
  void run_until(Time end);

 private:
  struct NoWake final : net::WakePort {
    void wake() override {}
  };
  static constexpr std::size_t kBudgetFrames = 64;

  std::optional<Time> next_deadline() const;

  NoWake no_wake_;
  CalloutQueue events_queue_;
  std::vector<std::unique_ptr<Callout>> events_;
  std::vector<std::unique_ptr<net::Domain>> domains_;
};

}  // namespace vif::host::sim
