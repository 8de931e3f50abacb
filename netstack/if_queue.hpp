// SPDX-License-Identifier: BSD-2-Clause
// The send queue of an interface (BSD's if_snd): a bounded ring of packets. Domain's thread only.
#pragma once

#include <cassert>
#include <memory>

#include "netstack/mbuf.hpp"

namespace vif::net {

class IfQueue {
 public:
  static constexpr std::size_t kDefaultFrames = 256;  // IFQ_MAXLEN of NetBSD

  explicit IfQueue(std::size_t frames_max) : ring_(std::make_unique<MbufPtr[]>(frames_max)), frames_max_(frames_max) {}

  bool full() const { return size_ == frames_max_; }
  std::size_t size() const { return size_; }

  void push(MbufPtr packet) {
    assert(!full());
    at(size_++) = std::move(packet);
  }

  // The i-th oldest, still queued; i < size().
  MbufPtr& peek(std::size_t i) { return at(i); }

  MbufPtr pop() {
    assert(size_ > 0);
    MbufPtr packet = std::move(at(0));
    head_ = head_ + 1 == frames_max_ ? 0 : head_ + 1;
    --size_;
    return packet;
  }

 private:
  MbufPtr& at(std::size_t i) {
    const std::size_t slot = head_ + i;
    return ring_[slot < frames_max_ ? slot : slot - frames_max_];
  }

  std::unique_ptr<MbufPtr[]> ring_;
  std::size_t frames_max_;
  std::size_t head_ = 0, size_ = 0;
};

}  // namespace vif::net
