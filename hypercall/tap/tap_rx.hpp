// SPDX-License-Identifier: BSD-2-Clause
// Frames from a TAP: a few at a time by read(2), and when there are many small ones, by the batch. With super-frames
// plain reads are the faster. One thread at a time, the domain's.
#pragma once

#include <sys/types.h>

#include "hypercall/tap/tap_device.hpp"
#include "hypercall/tap/tap_ring.hpp"
#include "netstack/base/ports.hpp"

namespace vif::host {

class TapRx {
 public:
  // What it borrows outlives it.
  TapRx(const TapDevice& device, const TapMemory& memory, TapRing& ring, ClockPort& clock)
      : device_(device), memory_(memory), ring_(ring), clock_(clock) {}

  // How large frames may now be.
  void set_mtu(std::uint32_t mtu_bytes);

  enum class Ended : std::uint8_t { budget, empty, failed };
  // Delivers at most `budget` frames and says why it ended; failed: the host answers with errors, ask again later. What
  // cannot be delivered is reported lost.
  Ended drain(std::size_t budget, drv::LinkSink& sink);

  // Reads all there is for nothing, and says how many frames that were.
  std::uint64_t discard();

 private:
  static constexpr std::size_t kBurst = 64;
  static constexpr std::size_t kFew = 4;                // to see whether there are many
  static constexpr std::size_t kPackedBytes = 131'072;  // then the burst is delivered: it shall stay in the caches

  struct Burst {
    std::array<drv::RxFrame, kBurst> frames;
    std::size_t count = 0;
    std::uint64_t lost = 0;  // read, and not a whole frame
    std::size_t bytes = 0;   // of all of them
    int error = 0;           // why the reading ended: EAGAIN: nothing more is there; 0: as many as were asked for

    void failed(int number);
  };

  void read_one_by_one(Burst& burst, std::size_t frames);
  void read_batch(Burst& burst, std::size_t frames);
  void take(Burst& burst, std::byte* frame, std::size_t bytes, std::size_t frame_bytes_max);
  ssize_t read_once(std::byte* frame);

  const TapDevice& device_;
  const TapMemory& memory_;
  TapRing& ring_;
  ClockPort& clock_;
  bool near_ = false;  // every frame fits a near slot
  bool many_ = false;  // there were more than we asked for, last time
  bool small_ = true;  // and they were small
};

}  // namespace vif::host
