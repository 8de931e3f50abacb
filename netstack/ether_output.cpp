// SPDX-License-Identifier: BSD-2-Clause
// The door out: one packet from a protocol to the driver's queue.
#include "netstack/ether.hpp"

namespace vif::net {

Status ether_output(Ifnet& ifp, MbufPtr payload, const MacAddress& dst, std::uint16_t ether_type) {
  std::byte* const at = m_prepend(payload, kEtherHeaderBytes);
  if (at == nullptr) {
    ifp.counters.drop(DropReason::tx_no_mbuf);
    return fail(std::errc::no_buffer_space, ifp.name() + ": no mbuf for the Ethernet header");
  }
  payload->pkthdr.offload.prepended(kEtherHeaderBytes);
  EtherHeader{dst, ifp.lladdr(), ether_type}.store(at);
  return ifp.transmit(std::move(payload));
}

}  // namespace vif::net
