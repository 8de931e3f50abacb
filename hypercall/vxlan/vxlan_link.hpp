// SPDX-License-Identifier: BSD-2-Clause
// `vxlan:REMOTE[+REMOTE]...,vni=N[,local=ADDRESS][,port=4789]`: an Ethernet segment that reaches other hosts inside UDP
// (RFC 7348), over IPv4 or IPv6: other links of ours, Linux's vxlan devices, Open vSwitch, any VTEP.
//
// A frame goes to the remote its destination was last heard behind; else, and to groups, to all of them. What others
// than the remotes send is refused. The link has no carrier of its own: it is up until its socket is unusable.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// EINVAL: an address or option; EADDRINUSE, EADDRNOTAVAIL, EACCES: the local end; else socket(2)'s errno. The watch is
// of the owner's domain; it and the clock, which stamps frames, outlive the link.
Result<drv::OpenLink> open_vxlan_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                      ClockPort& clock);

}  // namespace vif::host
