// SPDX-License-Identifier: BSD-2-Clause
// What can be asked of an interface: BSD's ioctl commands as values. Reading needs no request: ask the Ifnet.
#pragma once

#include <string_view>
#include <variant>

#include "netstack/mac_address.hpp"

namespace vif::net {

struct SetFlags {  // SIOCSIFFLAGS: the new flag word; bits outside kUserFlags must be as they are
  std::uint32_t flags;
};
struct SetMtu {  // SIOCSIFMTU: bytes of payload, without the 14 of the Ethernet header
  std::uint32_t mtu_bytes;
};
struct SetLladdr {  // SIOCSIFLLADDR (NetBSD: SIOCALIFADDR with IFLR_ACTIVE)
  MacAddress address;
};
struct AddMulti {  // SIOCADDMULTI: join; counted
  MacRange range;
};
struct DelMulti {  // SIOCDELMULTI: leave
  MacRange range;
};
struct SetPromisc {  // ifpromisc(): counted, allowed while down
  bool on;
};
struct SetAllmulti {  // if_allmulti(): counted, allowed while down
  bool on;
};
struct InitAddress {};  // SIOCINITIFADDR: a protocol gave the interface an address, so bring it up
struct SetLinkstr {     // SIOCSLINKSTR: connect to what `text` names
  std::string_view text;
};
struct UnsetLinkstr {};  // SIOCSLINKSTR with IFLINKSTR_UNSET: disconnect

using IfRequest = std::variant<SetFlags, SetMtu, SetLladdr, AddMulti, DelMulti, SetPromisc, SetAllmulti, InitAddress,
                               SetLinkstr, UnsetLinkstr>;

}  // namespace vif::net
