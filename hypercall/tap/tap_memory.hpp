// SPDX-License-Identifier: BSD-2-Clause
// Where a TAP's frames lie between the kernel and the driver. Address space for the worst case, pages only for what was
// used: an idle TAP costs none. One thread at a time.
//
// A slot's frame begins on a cache line, with its virtio_net_hdr right before it: copied to an odd place a frame of
// 1500 bytes costs a third more.
#pragma once

#include "netstack/base/bytes.hpp"
#include "netstack/base/result.hpp"
#include "netstack/ether_demux.hpp"

namespace vif::host {

class TapMemory {
 public:
  // The largest there can be: a tag, and what an IP packet's length field can say.
  static constexpr std::size_t kFrameBytesMax = net::kEtherHeaderBytes + net::kVlanTagBytes + 65'535;
  static constexpr std::size_t kHeadBytes = 64;  // of a slot, before its frame

  // Near slots are for what an ordinary MTU allows, far ones for anything.
  static constexpr std::size_t kNearSlots = 64, kNearFrameBytes = 2048 - kHeadBytes;
  static constexpr std::size_t kFarSlots = 32;

  // ENOMEM: no address space left.
  static Result<TapMemory> create();
  ~TapMemory();
  TapMemory(TapMemory&& other) noexcept;
  TapMemory& operator=(TapMemory&&) = delete;

  // Where the frame of each slot begins. Receive slots, near and far, are the same memory.
  std::byte* sent(std::size_t slot) const { return all_.data() + slot * kNearStride + kHeadBytes; }
  std::byte* near(std::size_t slot) const { return received().data() + slot * kNearStride + kHeadBytes; }
  std::byte* far(std::size_t slot) const { return received().data() + slot * kFarStride + kHeadBytes; }
  // Or without slots: frames one behind the other, each at its own multiple of 64.
  MutBytes received() const { return all_.subspan(kNearBytes); }

  // All slots of a kind; the far ones are all of received().
  MutBytes all_sent() const { return all_.first(kNearBytes); }
  MutBytes all_near() const { return received().first(kNearBytes); }

 private:
  static constexpr std::size_t kNearStride = kHeadBytes + kNearFrameBytes;
  static constexpr std::size_t kNearBytes = kNearSlots * kNearStride;
  // Not a multiple of 4096: the fronts of frames shall not all fall into the same cache set.
  static constexpr std::size_t kFarStride = 65'792;
  static_assert(kFarStride >= kHeadBytes + kFrameBytesMax + 1 && kFarStride % 64 == 0 && kFarStride % 4096 != 0);

  explicit TapMemory(MutBytes all) : all_(all) {}

  MutBytes all_;
};

}  // namespace vif::host
