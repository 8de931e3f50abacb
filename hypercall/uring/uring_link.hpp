// SPDX-License-Identifier: BSD-2-Clause
// `uring:IFNAME[,qdisc=bypass][,latency=low][,ring=MIB]`: an Ethernet interface of this host as the wire, by raw packet
// sockets. Frames come by a ring shared with the kernel and go by bursts through io_uring, or in the next best way the
// kernel has.
//
// What the host itself sends there does not arrive, nor do our own frames. The interface's address, MTU and carrier are
// the link's.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// EINVAL: no interface's name, an unknown option or value. ENODEV: no such interface. ENOTSUP: it carries no Ethernet.
// EPERM: the text names the capability. Else the host's errno. The watch outlives the link.
Result<drv::OpenLink> open_uring_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch);
// As much of that as the link string alone tells. EINVAL.
Status check_uring_linkstr(const drv::Linkstr& linkstr);

}  // namespace vif::host
