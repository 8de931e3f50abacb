// SPDX-License-Identifier: BSD-2-Clause
// Frames as a packet socket puts them down in memory (packet(7), linux/if_packet.h): where they are, what the kernel
// took out of them, what it left undone. Pure and bounds-checked; one thread.
#pragma once

#include <linux/if_packet.h>

#include "hypercall/vnet_header.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// What the kernel says beside a frame.
struct FrameNotes {
  std::uint32_t status = 0;  // TP_STATUS_*
  std::uint16_t vlan_tci = 0, vlan_tpid = 0;
  std::int64_t timestamp_ns = 0;
};

// The frame as the wire had it: a tag that was taken out is put back, into the bytes in front. `frame` is preceded by
// kVnetHeaderBytes that may be written, which hold its offload when `vnet` says so.
drv::RxFrame whole_frame(MutBytes frame, const FrameNotes& notes, bool vnet);

// How a frame in a slot of a TPACKET_V2 ring, or in a TPACKET_V3 block, has come.
enum class Placed : std::uint8_t {
  whole,  // it is in `frame`
  cut,    // only its front is here
  bad,    // it would lie outside of the slot
};
Placed frame_in_slot(MutBytes slot, bool vnet, drv::RxFrame& frame);
// Of a slot whose frame is elsewhere. It holds a tpacket2_hdr.
FrameNotes notes_in_slot(Bytes slot);
// What comes beside a received message: a tpacket_auxdata and a timestamp, in control messages.
FrameNotes notes_in_control(Bytes control);

// One TPACKET_V3 block, from its first frame to its last.
class BlockReader {
 public:
  BlockReader() = default;  // has nothing
  BlockReader(MutBytes block, bool vnet);

  bool done() const { return left_ == 0; }
  // The next frames, in order, in place. Adds those that are not whole to `lost`, and goes on behind them.
  std::size_t read(std::span<drv::RxFrame> into, std::uint64_t& lost);

 private:
  MutBytes block_;
  bool vnet_ = false;
  std::size_t at_ = 0;      // the next frame's header
  std::uint32_t left_ = 0;  // frames
};

}  // namespace vif::host
