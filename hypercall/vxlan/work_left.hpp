// SPDX-License-Identifier: BSD-2-Clause
// What a sender on the same host has left to do on a frame: a vxlan device of Linux gives TCP and UDP to its network
// card unfinished, and where the card is a veth nobody finishes them. A UDP socket does not say so; the frame does.
//
// A checksum is open when its field holds the pseudo-header's sum, as the kernel leaves it. One frame in 65536 has it
// by chance, and loses nothing: finishing that one gives the same sum again. A TCP segment above the MTU can only be a
// super-frame; it is cut to segments that just fit, as where its sender would have cut it does not matter to TCP. Where
// UDP was to be cut is not known: such frames stay too long. Pure; any thread.
#pragma once

#include "netstack/base/bytes.hpp"
#include "netstack/offload.hpp"

namespace vif::host {

// Nothing, for frames that are finished or are no TCP or UDP behind at most two tags and plain IP headers.
net::Offload work_left(Bytes frame, std::uint32_t mtu_bytes);

}  // namespace vif::host
