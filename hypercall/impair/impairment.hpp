// SPDX-License-Identifier: BSD-2-Clause
// What happens to the frames of one direction: lost, doubled, damaged, held back. Chance is a function of the seed and
// of a frame's number in its direction, of nothing else: neither other traffic nor other settings change it.
//
// Where frames come from and go to is its owner's affair, and so is the time. One thread, the domain's.
#pragma once

#include "hypercall/impair/impair_settings.hpp"
#include "hypercall/impair/waiting_frames.hpp"

namespace vif::host {

// What a received frame has and one to be sent has not; see drv::RxFrame.
struct Received {
  std::uint32_t wire_bytes = 0;
  std::int64_t timestamp_ns = 0;
};

class Impairment {
 public:
  Impairment(const ImpairSettings& settings, std::uint64_t seed)
      : settings_(settings), seed_(seed), waiting_(settings.waiting_frames_max) {}

  // Nothing happens to frames: do not offer them.
  bool off() const { return settings_.off(); }

  // Takes a copy of the frame, or two, or drops it.
  void offer(const drv::TxFrame& frame, const Received& received, Time now);
  // One that was taken and could not be passed on yet.
  void put_back(WaitingFrame frame) { waiting_.push(std::move(frame)); }

  bool due(Time now) const {
    const std::optional<Time> next = next_due();
    return next && *next <= now;
  }
  std::optional<Time> next_due() const { return waiting_.next_due(); }
  std::size_t take_due(Time now, std::span<WaitingFrame> into) { return waiting_.take_due(now, into); }

  // Whether some were dropped since take_dropped(), and how many.
  bool dropped() const { return dropped_ > 0; }
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }
  // Lets go of what waits; how many frames that were.
  std::uint64_t clear();

 private:
  // What chance decides; the numbers are each frame's own.
  enum class Question : std::uint64_t { loss, dup, corrupt, bit, reorder, jitter, dup_reorder, dup_jitter, kCount };

  std::uint64_t roll(Question question) const;
  bool happens(Chance chance, Question question) const;
  void admit(const drv::TxFrame& frame, const Received& received, Time now, bool duplicate);
  void damage(net::Mbuf& packet) const;
  Time serialised(std::uint32_t bytes, Time now);
  Time delay(bool duplicate) const;

  const ImpairSettings settings_;
  const std::uint64_t seed_;
  WaitingFrames waiting_;
  std::uint64_t number_ = 0;  // of the frame in hand
  std::uint64_t order_ = 0;
  std::uint64_t dropped_ = 0;
  Time free_at_{};                  // when the last bit of what came before has left
  std::uint64_t free_at_rest_ = 0;  // and the part of a nanosecond, in rate_bits'ths
};

}  // namespace vif::host
