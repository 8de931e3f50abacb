// SPDX-License-Identifier: BSD-2-Clause
// Frames to a TAP: each by one write(2), or where many small ones follow each other, by the batch. One thread at a
// time, the domain's.
#pragma once

#include <utility>

#include "hypercall/tap/tap_device.hpp"
#include "hypercall/tap/tap_ring.hpp"

namespace vif::host {

class TapTx {
 public:
  static constexpr std::size_t kSlicesMax = 64;

  // What it borrows outlives it.
  TapTx(const TapDevice& device, const TapMemory& memory, TapRing& ring, std::uint32_t frame_bytes_max)
      : device_(device), memory_(memory), ring_(ring), frame_bytes_max_(frame_bytes_max) {}

  // LinkPort::send.
  drv::SendResult send(std::span<const drv::TxFrame> frames);

  // Frames that send took and the host refused; asked once.
  std::uint64_t lost() const { return lost_; }
  std::uint64_t take_lost() { return std::exchange(lost_, 0); }

 private:
  static constexpr std::size_t kBatchLeast = 4;  // below, plain calls cost less

  drv::SendResult send_one(const drv::TxFrame& frame);
  drv::SendResult send_batch(std::span<const drv::TxFrame> frames);
  void queue(const drv::TxFrame& frame, std::size_t slot);

  const TapDevice& device_;
  const TapMemory& memory_;
  TapRing& ring_;
  const std::uint32_t frame_bytes_max_;
  std::uint64_t lost_ = 0;
};

}  // namespace vif::host
