// SPDX-License-Identifier: BSD-2-Clause
// tap:NAME[,offload=on|off][,persist] - a TAP of this host as a wire: the host's network interface NAME is at its other
// end. docs/links/tap.md says what its user sees.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "hypercall/tap/tap_device.hpp"
#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// For an interface whose domain's loop has `watch`; both ports outlive the link. Errors: EINVAL for the link string,
// and TapDevice::open's.
Result<drv::OpenLink> open_tap_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                    ClockPort& clock);

// What the link string asks for. EINVAL.
Result<TapWanted> tap_wanted(const drv::Linkstr& linkstr);

// A network namespace to have a TAP in: what a process inside it opened, for one outside.
struct TapPlace {
  UniqueFd tun, netlink;

  // The calling thread's. Errors: TapDevice::open_tun's.
  static Result<TapPlace> here();
};
// The same for a TAP there. EPERM: this process has no CAP_NET_ADMIN there, nor made its user namespace.
Result<drv::OpenLink> open_tap_at(TapPlace place, const TapWanted& wanted, const drv::LinkOwner& owner, FdWatch& watch,
                                  ClockPort& clock);

}  // namespace vif::host
