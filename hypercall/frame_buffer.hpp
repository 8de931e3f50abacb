// SPDX-License-Identifier: BSD-2-Clause
// Frames on their way from one thread to a domain: a fixed piece of memory filled by whoever sends, emptied in place by
// the receiver. Not thread-safe: its owner's mutex guards the one being filled, the other is the receiver's alone.
//
// Emptying starts over at the front, so a receiver that keeps up works in a few cache lines, whatever the capacity.
#pragma once

#include <algorithm>
#include <cassert>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "virtif/link.hpp"

namespace vif::host {

class FrameBuffer {
 public:
  static constexpr std::size_t kFrames = 1024;
  static constexpr std::size_t kBytes = std::size_t{1} << 20;  // several of the largest frames

  // Memory is touched only where frames have been: idle interfaces cost addresses.
  FrameBuffer() : bytes_(new std::byte[kBytes]) { frames_.reserve(kFrames); }

  // Copies a frame in. False: no room.
  bool push(const drv::TxFrame& frame, std::int64_t timestamp_ns) {
    if (frames_.size() == kFrames || frame.bytes > kBytes - used_) return false;
    std::byte* const at = bytes_.get() + used_;
    std::size_t filled = 0;
    for (const Bytes slice : frame.slices) {
      std::memcpy(at + filled, slice.data(), slice.size());
      filled += slice.size();
    }
    assert(filled == frame.bytes);
    frames_.push_back({{at, filled}, 0, timestamp_ns, frame.offload});
    used_ += (filled + 7) & ~std::size_t{7};  // the copies of small frames stay word-aligned
    return true;
  }

  std::size_t left() const { return frames_.size() - next_; }
  bool empty() const { return left() == 0; }

  // The next frames, at most `budget`; they stay in place until clear().
  std::span<const drv::RxFrame> take(std::size_t budget) {
    const std::size_t n = std::min(budget, left());
    next_ += n;
    return {frames_.data() + next_ - n, n};
  }

  void clear() {
    frames_.clear();
    used_ = next_ = 0;
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::vector<drv::RxFrame> frames_;  // never more than it has room for
  std::size_t used_ = 0;              // of bytes_
  std::size_t next_ = 0;              // the first not taken
};

// Two of them: senders fill one under the mutex while the receiver empties the other; they swap when that is empty.
class FrameExchange {
 public:
  // Any thread. Copies what fits, the rest is the receiver's overrun; tells the sink, once a burst. Returns how many
  // were copied, or nullopt while closed.
  std::optional<std::size_t> push(std::span<const drv::TxFrame> frames, std::int64_t timestamp_ns) {
    const std::lock_guard lock(mutex_);
    if (sink_ == nullptr) return std::nullopt;
    std::size_t copied = 0;
    for (const drv::TxFrame& frame : frames) copied += filling_.push(frame, timestamp_ns);
    overruns_ += frames.size() - copied;
    sink_->ready();  // under the lock, so that after close() nobody calls
    return copied;
  }

  // Any thread: makes the receiver drain.
  void wake() {
    const std::lock_guard lock(mutex_);
    if (sink_ != nullptr) sink_->ready();
  }

  // The receiver's thread.
  void open(drv::LinkSink& sink) {
    const std::lock_guard lock(mutex_);
    sink_ = &sink;
  }
  // What has come and was not delivered is reported lost. Harmless when closed.
  void close() {
    const std::lock_guard lock(mutex_);
    if (sink_ == nullptr) return;
    sink_->lost(DropReason::not_running, filling_.left() + emptying_.left());
    sink_->lost(DropReason::rx_overrun, std::exchange(overruns_, 0));
    sink_ = nullptr;
    filling_.clear();
    emptying_.clear();
  }

  // Delivers at most `budget` frames, with no lock held. True: there are more.
  bool drain(std::size_t budget, drv::LinkSink& sink) {
    if (emptying_.empty()) swap(sink);
    if (const auto frames = emptying_.take(budget); !frames.empty()) sink.deliver(frames);
    if (!emptying_.empty()) return true;
    const std::lock_guard lock(mutex_);
    return !filling_.empty();
  }

 private:
  void swap(drv::LinkSink& sink) {
    std::uint64_t overruns = 0;
    {
      const std::lock_guard lock(mutex_);
      emptying_.clear();
      std::swap(filling_, emptying_);
      overruns = std::exchange(overruns_, 0);
    }
    if (overruns > 0) sink.lost(DropReason::rx_overrun, overruns);
  }

  std::mutex mutex_;
  FrameBuffer filling_;            // under mutex_
  FrameBuffer emptying_;           // the receiver's
  drv::LinkSink* sink_ = nullptr;  // under mutex_; null: closed
  std::uint64_t overruns_ = 0;     // under mutex_
};

}  // namespace vif::host
