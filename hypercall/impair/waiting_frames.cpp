// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/impair/waiting_frames.hpp"

#include <algorithm>

namespace vif::host {
namespace {

// Address space; memory is used as frames come.
net::MbufPool::Config pool_for(std::uint32_t frames) {
  return {.counts = {frames, std::min(frames, 1024U), std::min(frames, 256U), std::min(frames, 16U)}, .external = 0};
}

}  // namespace

WaitingFrames::WaitingFrames(std::uint32_t frames_max) : frames_max_(frames_max), pool_(pool_for(frames_max)) {
  heap_.reserve(frames_max);
}

net::MbufPtr WaitingFrames::copy(const drv::TxFrame& frame) {
  if (heap_.size() == frames_max_) return nullptr;
  net::MbufPtr packet = pool_.get(frame.bytes);
  if (!packet) return nullptr;
  for (const Bytes slice : frame.slices)
    std::copy(slice.begin(), slice.end(), net::MbufPool::append(*packet, slice.size()));
  packet->pkthdr.offload = frame.offload;
  return packet;
}

void WaitingFrames::push(WaitingFrame frame) {
  heap_.push_back(std::move(frame));
  std::push_heap(heap_.begin(), heap_.end(), later);
}

std::optional<Time> WaitingFrames::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due;
}

std::size_t WaitingFrames::take_due(Time now, std::span<WaitingFrame> into) {
  std::size_t taken = 0;
  for (; taken < into.size() && !heap_.empty() && heap_.front().due <= now; ++taken) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    into[taken] = std::move(heap_.back());
    heap_.pop_back();
  }
  return taken;
}

std::uint64_t WaitingFrames::clear() {
  const auto sent =
      std::count_if(heap_.begin(), heap_.end(), [](const WaitingFrame& frame) { return !frame.duplicate; });
  heap_.clear();
  return static_cast<std::uint64_t>(sent);
}

}  // namespace vif::host
