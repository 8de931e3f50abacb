// SPDX-License-Identifier: BSD-2-Clause
// `stream:PATH|fd=N`: one peer on a Unix socket, which speaks QEMU's framing (passt, QEMU), vde_plug's, or one frame a
// packet (BESS, User-mode Linux, QEMU's dgram). The carrier is up while a peer is connected.
#pragma once

#include "hypercall/fd_watch.hpp"
#include "netstack/base/ports.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// `watch` is of the owner's domain's loop; it and the clock outlive the link. A descriptor in the link string is the
// link's once this has succeeded. EINVAL: the link string; else what the socket calls said.
Result<drv::OpenLink> open_stream_link(const drv::Linkstr& linkstr, const drv::LinkOwner& owner, FdWatch& watch,
                                       ClockPort& clock);

}  // namespace vif::host
