// SPDX-License-Identifier: BSD-2-Clause
// Many reads or writes of a TAP in one system call, through an io_uring that is made when it is first wanted. Each is
// done or refused before run() returns; nothing is ever in flight. One thread at a time: when that is another than
// before, the ring is made anew.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "hypercall/io_ring.hpp"
#include "hypercall/tap/tap_memory.hpp"

namespace vif::host {

class TapRing {
 public:
  static constexpr std::size_t kBatch = 64;

  // Slots are memory that the kernel is told of beforehand, when it lets us, once they are first used: that saves it
  // looking them up for each frame, and pins them until close().
  enum class Place : std::uint8_t { sent_slots, near_slots, far_slots, elsewhere };

  // `fd` and `memory` outlive it. Not allowed: begin() always says no.
  TapRing(int fd, const TapMemory& memory, bool allowed) : fd_(fd), memory_(memory), allowed_(allowed) {}

  // Whether to go on with at most kBatch of read() or write(), then run(). False: do it with plain calls.
  bool begin();
  void read(MutBytes into, Place place);
  void write(Bytes from, Place place);
  // What became of them, in order: bytes, or a negative errno (EAGAIN: nothing there, or no room). Answers are missing
  // at the end when the kernel would not begin those: do them with plain calls. Valid until the next begin().
  std::span<const int> run();

  // Gives the ring back; begin() makes a new one.
  void close();

 private:
  // A kernel that refuses this often will not be asked again before close().
  static constexpr int kFailuresMax = 8;

  enum class Pinned : std::uint8_t { not_tried, yes, refused };
  static constexpr std::size_t kPlaces = static_cast<std::size_t>(Place::elsewhere);

  io_uring_sqe& next(std::uint8_t opcode, std::uint8_t fixed_opcode, Place place);
  bool pin(Place place);
  void reap(std::size_t begun);

  const int fd_;
  const TapMemory& memory_;
  const bool allowed_;
  std::unique_ptr<IoRing> ring_;
  std::array<Pinned, kPlaces> pinned_;
  int failures_ = 0;
  std::size_t queued_ = 0;
  std::array<int, kBatch> answers_;
};

}  // namespace vif::host
