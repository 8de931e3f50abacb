// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/interface.hpp"

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

Interface::Interface(Stack& stack, Ifnet& ifnet)
    : ifp(ifnet), neighbours(stack, *this), groups(*this), addresses(stack, *this), stack_(stack) {
  for (const std::uint16_t type : {kEtherTypeIp4, kEtherTypeArp}) {
    const Status attached = demux_.attach(ether_type_key(type), *this);
    assert(attached && "a fresh table has no protocols"), (void)attached;
  }
  ifp.set_demux(&demux_);
}

// Addresses and routes are gone already (Inet::detach), or the whole stack goes.
Interface::~Interface() {
  ifp.set_demux(nullptr);
  neighbours.flush();
  groups.leave_all();
}

Status Interface::start() { return groups.join(kAllSystems4); }

void Interface::link_changed() {
  neighbours.flush();
  stack_.routes.forget_advertised(*this);
  addresses.claim_again();
}

void Interface::ether_protocol_input(Ifnet&, const EtherHeader& header, MbufPtr payload) {
  stack_.counters.received.add(1);
  if (header.type == kEtherTypeArp) return stack_.arp.input(*this, std::move(payload));
  stack_.ip4.input(*this, std::move(payload));
}

}  // namespace vif::net::inet
