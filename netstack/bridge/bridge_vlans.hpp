// SPDX-License-Identifier: BSD-2-Clause
// The VLANs of one port of a bridge, as `bridge vlan` shows them (IEEE 802.1Q-2018, 6.9 and 8.8.10), and the moves
// between a tag in a frame's bytes and one beside them. Plain values.
#pragma once

#include <bitset>
#include <cstdint>

#include "netstack/base/api.hpp"
#include "netstack/base/result.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net {

inline constexpr std::uint16_t kVlanIdBits = 0xfff;  // of a tag
inline constexpr std::uint16_t kVlanIdMax = 4094;    // IEEE 802.1Q-2018, table 9-2
inline constexpr std::uint16_t kVlanDefault = 1;     // likewise: the default PVID

struct VIF_API BridgeVlans {
  std::uint16_t pvid = 0;                 // the VLAN of what comes without one; 0: such frames are refused
  std::bitset<kVlanIdBits + 1> members;   // the VLANs that may come and go here
  std::bitset<kVlanIdBits + 1> untagged;  // of these, those that leave without a tag

  // One VLAN, without a tag both ways: what a port for a host has.
  static BridgeVlans access(std::uint16_t vlan);
  void add_tagged(std::uint16_t vlan) { members.set(vlan), untagged.reset(vlan); }

  // EINVAL: a VLAN id that there is not, or a PVID or untagged VLAN that is no member.
  Status check() const;
};

// Whether the frame has an 802.1Q tag in its bytes; it has an Ethernet header.
VIF_API bool has_tag_in_bytes(const Mbuf& frame, std::uint16_t ether_type);

enum class Untagged : std::uint8_t { done, malformed, no_mbuf };
// Moves the 802.1Q tag in the bytes of `frame` beside them. malformed: the frame ends inside it, or its open checksum
// was to cover it. Unless done, the frame is as before.
VIF_API Untagged move_tag_out(MbufPtr& frame);

// Puts the frame into `vlan`: its tag beside the bytes, with the priority it had, or none.
VIF_API void set_vlan(Mbuf& frame, std::uint16_t vlan, bool is_tagged);

}  // namespace vif::net
