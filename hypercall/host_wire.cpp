// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/host_wire.hpp"

#include <net/if_arp.h>

#include <cerrno>

#include "netstack/ether_demux.hpp"

namespace vif::host {

Result<HostWire> HostWire::open(const std::string& scheme, const std::string& name) {
  Result<HostInterface> interface = HostInterface::open(name);
  if (!interface) return std::move(interface).error();
  const std::uint16_t type = interface->state().type;
  if (type == ARPHRD_LOOPBACK) {
    return fail(ENOTSUP, scheme + ": " + name +
                             " gives every frame back to its sender; for a wire inside this host make a veth pair: "
                             "ip link add NAME type veth peer name OTHER");
  }
  if (type != ARPHRD_ETHER) {
    return fail(ENOTSUP, scheme + ": " + name + " carries no Ethernet frames (its ARPHRD type is " +
                             std::to_string(type) + ", expected " + std::to_string(ARPHRD_ETHER) + ")");
  }
  return HostWire(std::move(*interface));
}

void HostWire::describe(drv::LinkCaps& caps) const {
  const HostInterfaceState& state = interface_.state();
  caps.lladdr = state.lladdr;
  caps.mtu_bytes = state.mtu_bytes;
  caps.frame_bytes_max = state.mtu_bytes + static_cast<std::uint32_t>(net::kEtherHeaderBytes);
  caps.link_state = state.link_state();
}

void HostWire::tell(drv::LinkSink& sink, drv::LinkCaps& caps) {
  interface_.update();
  const HostInterfaceState& state = interface_.state();
  const net::LinkState before = caps.link_state;
  const bool other = state.lladdr != caps.lladdr || state.mtu_bytes != caps.mtu_bytes;
  describe(caps);
  if (other && !state.gone) sink.caps_changed(caps);
  const Down down = now();
  if (caps.link_state == before && (down == told_ || down == Down::up)) return;
  told_ = down;
  const Error why = words(down);
  sink.link_changed(caps.link_state, down == Down::up ? nullptr : &why);
}

HostWire::Down HostWire::now() const {
  const HostInterfaceState& state = interface_.state();
  if (state.gone) return Down::gone;
  if (!state.up) return Down::switched_off;
  return state.carrier ? Down::up : Down::no_carrier;
}

Error HostWire::words(Down why) const {
  const std::string& name = interface_.state().name;
  switch (why) {
    case Down::gone:
      return fail(ENODEV, name + " was removed from this host, or went to another network namespace: link again");
    case Down::switched_off:
      return fail(ENETDOWN, name + " is down on this host: ip link set " + name + " up");
    case Down::no_carrier:
    case Down::up:
      break;
  }
  return fail(ENETDOWN, name + " has no carrier: is its other end connected and up?");
}

}  // namespace vif::host
