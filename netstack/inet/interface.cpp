// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/inet/interface.hpp"

#include "netstack/inet/stack.hpp"

namespace vif::net::inet {

Interface::Interface(Stack& stack, Ifnet& ifnet)
    : ifp(ifnet),
      neighbours(stack, *this),
      membership4(stack, *this),
      membership6(stack, *this),
      groups(*this),
      addresses(stack, *this),
      router_discovery(stack, *this),
      stack_(stack),
      link_was_up_(ifnet.link_state() != LinkState::down),
      lladdr_(ifnet.lladdr()) {
  const std::uint64_t chance = stack.domain.random().next();
  std::memcpy(nonce.data(), &chance, nonce.size());
  for (const std::uint16_t type : {kEtherTypeIp4, kEtherTypeArp, kEtherTypeIp6}) {
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

Status Interface::start() {
  if (Status joined = groups.join(kAllSystems4); !joined || !stack_.config.ip6) return joined;
  if (Status joined = groups.join(kAllNodes6); !joined) return joined;
  if (stack_.config.forwarding) {
    if (Status joined = groups.join(kAllRouters6); !joined) return joined;
  }
  constexpr std::uint8_t kPrefixBits = 64;
  return addresses.add(
      {.prefix = {with_eui64(kLinkLocalPrefix6, ifp.lladdr()), kPrefixBits}, .origin = AddressOrigin::link_local},
      Claim::probe);
}

void Interface::link_changed() {
  const bool up = ifp.link_state() != LinkState::down;
  const bool other_lladdr = ifp.lladdr() != lladdr_;
  const bool begins = up && (!link_was_up_ || other_lladdr);
  lladdr_is_new = lladdr_is_new || other_lladdr;
  link_was_up_ = up;
  lladdr_ = ifp.lladdr();
  if (!begins) return;  // the MTU is another: nobody's address changes with it
  neighbours.flush();
  stack_.routes.forget_advertised(*this);
  membership4.announce();
  membership6.announce();
  addresses.claim_again();
}

void Interface::say_goodbye() {
  groups.leave_all();
  membership4.say_changes();
  membership6.say_changes();
}

void Interface::ether_protocol_input(Ifnet&, const EtherHeader& header, MbufPtr payload) {
  stack_.counters.received.add(1);
  if (header.type == kEtherTypeArp) return stack_.arp.input(*this, std::move(payload));
  if (header.type == kEtherTypeIp4) return stack_.ip4.input(*this, std::move(payload));
  if (stack_.config.ip6) return stack_.ip6.input(*this, std::move(payload));
  stack_.counters.drop(InetDrop::ignored);
}

}  // namespace vif::net::inet
