// SPDX-License-Identifier: BSD-2-Clause
// Cuts the super-frame at the head of a send queue into bursts for a link that does not take it whole.
//
// Belongs to a softc, for as long as its link is open. Headers are built here, payloads stay in the super-frame; only a
// segment in more pieces than the link takes is gathered here. What a link left of a burst is offered again as it is.
#pragma once

#include "netstack/if_data.hpp"
#include "netstack/segmenter.hpp"
#include "virtif/link.hpp"

namespace vif::drv {

class TxCutter {
 public:
  static constexpr std::size_t kBurstFrames = 32;
  static constexpr std::size_t kBurstSlices = 128;

  // `caps` are the link's as they are at any time; `gathered` counts the segments that were.
  TxCutter(const LinkCaps& caps, Counter& gathered) : caps_(caps), gathered_(gathered) {}
  TxCutter(const TxCutter&) = delete;
  TxCutter& operator=(const TxCutter&) = delete;

  // Begins with `frame`, which stays as it is until the last segment is taken or drop(). False: it cannot be cut, or
  // `why` says that its segments were above the MTU.
  bool begin(const net::Mbuf& frame, std::uint32_t mtu_bytes, DropReason& why);
  bool busy() const { return busy_; }
  void drop() { busy_ = false; }

  // These only while busy. What to offer to the link; at least one frame.
  std::span<const TxFrame> burst();
  // It took as many of them. True: that was the last segment.
  bool took(std::size_t frames);

 private:
  void fill();
  bool add();
  void add_slices(net::Segmenter::Segment segment, std::size_t padding);
  void add_gathered(const net::Segmenter::Segment& segment, std::size_t padding);

  const LinkCaps& caps_;
  Counter& gathered_;
  net::Segmenter segmenter_;
  bool busy_ = false;
  std::size_t taken_ = 0, frames_used_ = 0, slices_used_ = 0, storage_used_ = 0;  // of the burst
  std::array<TxFrame, kBurstFrames> frames_;
  std::array<Bytes, kBurstSlices> slices_;
  std::array<std::array<std::byte, net::Segmenter::kHeaderBytesMax>, kBurstFrames> headers_;
  std::array<std::byte, net::Segmenter::kSegmentBytesMax> storage_;
};

}  // namespace vif::drv
