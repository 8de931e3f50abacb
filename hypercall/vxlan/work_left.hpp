// SPDX-License-Identifier: BSD-2-Clause
// What a sender on the same host has left to do on a frame: a vxlan device of Linux gives TCP and UDP to its network
// card unfinished, and where the card is a veth nobody finishes them. A UDP socket does not say so; the frame does.
//
// A checksum is open when its field holds the pseudo-header's sum, as the kernel leaves it. One frame in 65536 has it
// by chance, and loses nothing: finishing that one gives the same sum again. A TCP segment above the MTU can only be a
// super-frame; it is cut to segments that just fit, as where its sender would have cut it does not matter to TCP. Of
// UDP the kernel says it, as it would of a train (UDP_GRO). Pure; any thread.
#pragma once

#include "netstack/base/bytes.hpp"
#include "netstack/offload.hpp"

namespace vif::host {

// Whether the bytes are one frame with an IP packet that fills it, so that they cannot be a train of frames.
bool is_one_packet(Bytes frame);

struct SegmentsWanted {
  std::uint32_t mtu_bytes;          // of the frames there may be on this wire
  std::uint16_t udp_segment_bytes;  // what the kernel says; 0: nothing
};
// Nothing, for frames that are finished or are no TCP or UDP behind at most two tags and plain IP headers.
net::Offload work_left(Bytes frame, const SegmentsWanted& wanted);

}  // namespace vif::host
