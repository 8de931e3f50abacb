// SPDX-License-Identifier: BSD-2-Clause
// Interface flags with BSD's names and numbers (NetBSD net/if.h), not Linux's.
#pragma once

#include <cstdint>

namespace vif::net {

enum IfFlag : std::uint32_t {
  IFF_UP = 0x0001,
  IFF_BROADCAST = 0x0002,
  IFF_DEBUG = 0x0004,
  IFF_LOOPBACK = 0x0008,
  IFF_POINTOPOINT = 0x0010,
  IFF_RUNNING = 0x0040,
  IFF_NOARP = 0x0080,
  IFF_PROMISC = 0x0100,   // counted: SetPromisc
  IFF_ALLMULTI = 0x0200,  // counted: SetAllmulti, and while the group list holds a range
  IFF_OACTIVE = 0x0400,   // the backend takes no more for now
  IFF_SIMPLEX = 0x0800,   // does not hear its own frames
  IFF_LINK0 = 0x1000,
  IFF_LINK1 = 0x2000,
  IFF_LINK2 = 0x4000,
  IFF_MULTICAST = 0x8000,
};

// What SetFlags may change. The rest follows from what the interface is and does (NetBSD: IFF_CANTCHANGE).
inline constexpr std::uint32_t kUserFlags = IFF_UP | IFF_DEBUG | IFF_NOARP | IFF_LINK0 | IFF_LINK1 | IFF_LINK2;

enum class LinkState : std::uint8_t { unknown = 0, down = 1, up = 2 };  // LINK_STATE_* of NetBSD net/if.h

}  // namespace vif::net
