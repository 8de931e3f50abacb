// SPDX-License-Identifier: BSD-2-Clause
// What a bridge learns of who is where, and its guard against loops: an address that jumps to and fro and a probe that
// comes back both say that two ports are joined elsewhere. The younger of them is blocked until that is over.
#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/if_bridge.hpp"

namespace vif::net {

void Bridge::learn(std::uint64_t station, Port& from) {
  if (own_ && MacAddress::from_key(station) == own_->ifnet().lladdr()) return;
  StationTable::Station* const known = stations_.find(station, domain_.now());
  if (known == nullptr) {
    if (stations_.add(station, from.index, domain_.now()) == nullptr) ++from.data.stations_refused;
    return;
  }
  if (known->port == from.index) return stations_.heard(*known, domain_.now());
  if (known->is_static) return;
  Port& before = *ports_[known->port];
  if (!moved_too_often(*known)) return stations_.move(*known, from.index, domain_.now());
  known->moves = 0;
  Port& older = before.joined < from.joined ? before : from;
  if (&older != &before) stations_.move(*known, older.index, domain_.now());
  block(&older == &before ? from : before, BridgeBlock::address_moves);
}

bool Bridge::moved_too_often(StationTable::Station& station) const {
  if (domain_.now() - station.moves_since > std::chrono::seconds(1)) {
    station.moves_since = domain_.now();
    station.moves = 0;
  }
  return ++station.moves > config_.moves_per_second;
}

// An interface of the bridge's own joins nothing, so it is another's loop.
void Bridge::block(Port& port, BridgeBlock why) {
  if (&port == own_port_) return;
  if (!is_blocked(port)) ++port.data.times_blocked;
  port.data.blocked_by = why;
  port.blocked_until = domain_.now() + config_.block_time;
  forget_learned(port);
}

void Bridge::forget_learned(const Port& port) {
  stations_.keep([&](const StationTable::Station& station) { return station.port != port.index || station.is_static; });
}

bool Bridge::sends(const Port& port) const {
  return port.ifp->is(IFF_RUNNING) && port.ifp->link_state() != LinkState::down && !is_blocked(port);
}

void Bridge::if_link_changed(Ifnet& ifp) {
  Port* const port = port_of(ifp);
  if (port == nullptr) return;
  if (ifp.link_state() == LinkState::down) forget_learned(*port);
  else probe_soon();
}

// At the next poll, before the first frames where it can be.
void Bridge::probe_soon() {
  if (config_.probe_interval > Time(0)) next_probes_.schedule(domain_.now());
}

void Bridge::probe_all() {
  probes_.begin_round();
  for (const auto& port : ports_) {
    if (port->ifp != nullptr && port.get() != own_port_) probe(*port);
  }
  next_probes_.schedule(domain_.now() + config_.probe_interval);
}

// Also from a port that is blocked: whether the loop is still there can be seen in no other way.
void Bridge::probe(Port& port) {
  if (!port.ifp->is(IFF_RUNNING) || port.ifp->link_state() == LinkState::down) return;
  MbufPtr frame = domain_.pool().copy_in(probes_.make(port.joined, port.ifp->lladdr()));
  if (!frame) return;
  ++port.data.given;
  ++port.data.probes;
  (void)port.ifp->transmit(std::move(frame));  // which counts what it cannot send
}

// False: not ours. A probe that comes back in another VLAN than it left in shows no loop, and neither does an old one.
bool Bridge::heard_probe(const Port& at, std::uint16_t vlan, const Mbuf& packet) {
  if (packet.pkthdr.len < LoopProbes::kBytes) return false;
  std::array<std::byte, LoopProbes::kBytes> bytes;
  m_copydata(packet, 0, bytes);
  if (!probes_.is_ours(bytes)) return false;
  const std::optional<std::uint64_t> joined = probes_.sent_by(bytes);
  const auto from = std::find_if(ports_.begin(), ports_.end(),
                                 [&](const auto& port) { return port->ifp != nullptr && port->joined == joined; });
  if (from == ports_.end()) return true;
  if (config_.filters_vlans && (*from)->settings.vlans.pvid != vlan) return true;
  Port& younger = (*from)->joined < at.joined ? *ports_[at.index] : **from;
  block(younger, BridgeBlock::own_probe);
  return true;
}

}  // namespace vif::net
