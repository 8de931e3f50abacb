// SPDX-License-Identifier: BSD-2-Clause
// `shm:/NAME[,mode=0660]`: an Ethernet segment in memory that processes share. Every frame sent into it reaches all
// other attachers, in any process of this user (or group), whatever namespaces they are in but that of IPC. One that
// does not keep up overruns, and counts; one that dies is missed by nobody. docs/links/shm.md says what is promised.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "hypercall/shm/segment_folder.hpp"
#include "netstack/base/ports.hpp"

namespace vif::host {

// `watch` is of the loop the link is in, `clock` stamps frames; both outlive the link. Errors: EINVAL no name or one
// that is not for a file, or an option; EUSERS all places are taken; EPERM it is another user's; EBUSY somebody has
// been coming or going for a second; EPROTO another version's; the host's (EACCES, ENOSPC, ENOSYS ...).
Result<drv::OpenLink> open_shm_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                    ClockPort& clock);

// What a link string of this scheme names. EINVAL.
Result<shm::SegmentName> shm_segment_name(const drv::Linkstr& linkstr);

}  // namespace vif::host
