// SPDX-License-Identifier: BSD-2-Clause
// The door out: one packet from a protocol to the driver's queue.
#include "netstack/ether.hpp"

namespace vif::net {

Status ether_output(Ifnet& ifp, MbufPtr payload, const MacAddress& dst, std::uint16_t ether_type) {
  std::byte* const at = m_prepend(payload, kEtherHeaderBytes);
  if (at == nullptr) {
    ifp.drop(DropReason::tx_no_mbuf, payload->pkthdr.len + kEtherHeaderBytes, {dst, ifp.lladdr(), ether_type});
    return fail(std::errc::no_buffer_space, {});
  }
  payload->pkthdr.offload.prepended(kEtherHeaderBytes);
  EtherHeader{dst, ifp.lladdr(), ether_type}.store(at);
  return ifp.transmit(std::move(payload));
}

std::string_view transmit_refusal(const Error& refusal) {
  switch (static_cast<std::errc>(refusal.number())) {
    case std::errc::network_down:
      return "the interface is down or has no carrier: link it and bring it up, and see to its other end";
    case std::errc::invalid_argument:
      return "a frame has at least the 14 bytes of an Ethernet header";
    case std::errc::message_size:
      return "the frame is above the interface's MTU and its header";
    default:
      return "the send queue is full or no mbuf is free: send again when the link has taken some";
  }
}

}  // namespace vif::net
