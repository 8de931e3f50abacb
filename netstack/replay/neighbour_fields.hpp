// SPDX-License-Identifier: BSD-2-Clause
// Where Neighbor Discovery (RFC 4861) says in its messages who is where, as ARP does for IPv4. Nothing in a message is
// believed: what lies behind an option that ends outside of it is not found. A plain value, any thread.
#pragma once

#include <vector>

#include "netstack/replay/frame_layers.hpp"

namespace vif::net {

struct NeighbourFields {
  std::vector<std::size_t> addresses;  // where in the frame IPv6 addresses begin, all of them whole
  std::vector<std::size_t> macs;       // where link-layer addresses begin
  bool asks = false;                   // a Neighbor Solicitation: addresses[0] is its target

  // Of any other frame: none.
  static NeighbourFields of(Bytes frame, const FrameLayers& layers);
};

}  // namespace vif::net
