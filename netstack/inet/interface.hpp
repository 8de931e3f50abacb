// SPDX-License-Identifier: BSD-2-Clause
// One interface as a stack sees it: what it knows about the link behind an Ifnet. Owned by its Stack, attached to the
// Ifnet's packets from construction to destruction. Domain's thread.
#pragma once

#include <algorithm>

#include "netstack/ifnet.hpp"
#include "netstack/inet/addresses.hpp"
#include "netstack/inet/groups.hpp"
#include "netstack/inet/neighbours.hpp"

namespace vif::net::inet {

class Interface final : private EtherProtocol {
 public:
  Interface(Stack& stack, Ifnet& ifnet);
  ~Interface() override;
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  Ifnet& ifp;
  Neighbours neighbours;
  Groups groups;
  Addresses addresses;

  // Joins what every host is in. What the driver says.
  Status start();
  // The link came back, or is another one.
  void link_changed();

 private:
  void ether_protocol_input(Ifnet& ifnet, const EtherHeader& header, MbufPtr payload) override;

  Stack& stack_;
  EtherDemux demux_;
};

}  // namespace vif::net::inet
