// SPDX-License-Identifier: BSD-2-Clause
// The Ethernet layer between a driver and the protocols: attach and detach, the common ioctls, and the two doors
// ether_input and ether_output. All of it runs on the interface's domain's thread.
#pragma once

#include "netstack/ether_demux.hpp"
#include "netstack/ifnet.hpp"

namespace vif::net {

// Makes `ifp` an Ethernet interface with this address and the Ethernet defaults; ether_ifdetach forgets its groups.
// Between the two it may be published.
VIF_API void ether_ifattach(Ifnet& ifp, const MacAddress& lladdr);
VIF_API void ether_ifdetach(Ifnet& ifp);

// The requests every Ethernet driver answers alike. Reprogram::yes (BSD's ENETRESET): done, now look at your filter.
// Errors change nothing: EINVAL (MTU, flags or address out of range), ENXIO (group not joined), ENOBUFS, ENOTTY (not an
// Ethernet request), and what if_init says when the interface is brought up.
VIF_API Result<Reprogram> ether_ioctl(Ifnet& ifp, const IfRequest& request);

// Takes a frame the driver passed up: strips header and tag and gives it to its protocol, or counts why not.
VIF_API void ether_input(Ifnet& ifp, MbufPtr frame);

// Sends `payload` in an Ethernet frame. A broadcast or multicast is marked M_BCAST or M_MCAST. Errors as
// Ifnet::transmit.
VIF_API Status ether_output(Ifnet& ifp, MbufPtr payload, const MacAddress& dst, std::uint16_t ether_type);

// What to tell people of an error of ether_output or Ifnet::transmit, which come without a text as frames may be
// refused by the thousand.
VIF_API std::string_view transmit_refusal(const Error& refusal);

}  // namespace vif::net
