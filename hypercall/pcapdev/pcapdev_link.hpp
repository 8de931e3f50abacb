// SPDX-License-Identifier: BSD-2-Clause
// `pcapdev:IFNAME[,filter=EXPRESSION]`: an Ethernet interface of this host as the wire, through libpcap: for hosts and
// devices that the other backends cannot serve. What matches the filter (pcap-filter(7), numeric) arrives; what is sent
// is injected, a frame a call.
//
// What the host itself sends there does not arrive, nor do our own frames.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// EINVAL: no interface's name, an unknown option, a filter that does not compile. ENODEV: no such interface. ENOTSUP:
// it carries no Ethernet. EPERM: the text names the capability. EIO: what libpcap says. The watch outlives the link.
Result<drv::OpenLink> open_pcapdev_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch);

}  // namespace vif::host
