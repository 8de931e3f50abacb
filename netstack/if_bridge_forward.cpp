// SPDX-License-Identifier: BSD-2-Clause
// A frame's way through a bridge: where it is to go, and there. What becomes of it is counted before it leaves, as a
// tap or a stack on its way may change the ports.
#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "netstack/if_bridge.hpp"

namespace vif::net {
namespace {

constexpr std::uint64_t kReservedGroup = 0x0180'c200'0000;  // and the 15 after it
constexpr std::uint64_t kReservedBits = 0xf;
constexpr Time kSecond = std::chrono::seconds(1);
constexpr std::int64_t kFloodBurst = 10;  // a burst is this part of a second's floods

// The VLAN id of its tag, in the bytes or beside them; 0: none.
std::uint16_t vlan_of(const Mbuf& packet, std::uint16_t ether_type) {
  if ((packet.pkthdr.flags & M_VLANTAG) != 0) return packet.pkthdr.vlan_tci & kVlanIdBits;
  if (!has_tag_in_bytes(packet, ether_type) || packet.pkthdr.len < kEtherHeaderBytes + kVlanTagBytes) return 0;
  std::array<std::byte, 2> tci;
  m_copydata(packet, kEtherHeaderBytes, tci);
  return load_be16(tci.data()) & kVlanIdBits;
}

MbufPtr copy_of(MbufPool& pool, const Mbuf& packet) {
  MbufPtr copy = pool.get(packet.pkthdr.len);
  if (!copy) return copy;
  m_copydata(packet, 0, {MbufPool::append(*copy, packet.pkthdr.len), packet.pkthdr.len});
  copy->pkthdr = packet.pkthdr;
  return copy;
}

}  // namespace

void Bridge::switch_own(MbufPtr frame) { pass(*own_port_, std::move(frame)); }

void Bridge::pass(Port& from, MbufPtr packet) {
  const Route way = route(from, packet);
  from.count(way.fate);
  if (way.fate == BridgeFate::forwarded) send(*way.to, way.vlan, std::move(packet));
  else if (way.fate == BridgeFate::flooded) flood(from, std::move(packet), way);
}

Bridge::Route Bridge::route(Port& from, MbufPtr& packet) {
  if (packet->pkthdr.len < kEtherHeaderBytes) return {BridgeFate::bad_source};
  std::array<std::byte, kEtherHeaderBytes> bytes;
  m_copydata(*packet, 0, bytes);
  const EtherHeader header = EtherHeader::load(bytes.data());
  Route way{BridgeFate::forwarded, header.dst};
  if (const auto refused = classify(from, packet, header.type, way.vlan)) return {*refused};
  if (header.dst == LoopProbes::kGroup && heard_probe(from, way.vlan, *packet)) return {BridgeFate::own_probe};
  if (header.src.is_group() || header.src.key() == 0) return {BridgeFate::bad_source};
  const bool is_blocked_now = is_blocked(from);
  if (!is_blocked_now && from.settings.learns) learn(station_key(way.vlan, header.src.key()), from);
  if (is_blocked_now || is_blocked(from)) return {BridgeFate::blocked};

  const std::uint64_t dst = header.dst.key();
  if ((dst & ~kReservedBits) == kReservedGroup) return {BridgeFate::reserved_group};
  way.to = header.dst.is_group() ? nullptr : port_for(station_key(way.vlan, dst), header.dst);
  if (way.to == nullptr) way.fate = may_flood(from) ? BridgeFate::flooded : BridgeFate::flood_limit;
  else if (way.to == &from) way.fate = BridgeFate::same_port;
  else if (is_blocked(*way.to)) way.fate = BridgeFate::blocked;
  else if (!is_in(*way.to, way.vlan)) way.fate = BridgeFate::vlan_refused;
  return way;
}

// Null: nobody knows.
Bridge::Port* Bridge::port_for(std::uint64_t station, const MacAddress& address) {
  if (own_ && address == own_->ifnet().lladdr() && own_->wants(address)) return own_port_;
  const StationTable::Station* const known = stations_.find(station, domain_.now());
  return known != nullptr ? ports_[known->port].get() : nullptr;
}

// Finds the frame's VLAN; where the bridge filters them, its tag is beside the bytes from here on. A fate: no way.
std::optional<BridgeFate> Bridge::classify(const Port& from, MbufPtr& packet, std::uint16_t ether_type,
                                           std::uint16_t& vlan) {
  if (!config_.filters_vlans) {
    vlan = vlan_of(*packet, ether_type);
    return std::nullopt;
  }
  const Untagged tag = has_tag_in_bytes(*packet, ether_type) ? move_tag_out(packet) : Untagged::done;
  if (tag == Untagged::malformed) return BridgeFate::bad_tag;
  if (tag == Untagged::no_mbuf) return BridgeFate::no_mbuf;
  const bool is_tagged = (packet->pkthdr.flags & M_VLANTAG) != 0;
  vlan = is_tagged ? packet->pkthdr.vlan_tci & kVlanIdBits : 0;
  if (vlan == 0) vlan = from.settings.vlans.pvid;  // a tag with id 0 has a priority only
  if (vlan == 0 || !is_in(from, vlan)) return BridgeFate::vlan_refused;
  return std::nullopt;
}

bool Bridge::may_flood(Port& from) {
  const std::uint32_t limit = from.settings.floods_per_second;
  if (limit == 0) return true;
  from.flood_paid_until = std::max(from.flood_paid_until, domain_.now());
  if (from.flood_paid_until - domain_.now() > kSecond / kFloodBurst) return false;
  from.flood_paid_until += kSecond / limit;
  return true;
}

bool Bridge::is_flooded_to(const Port& to, const Route& way) const {
  if (to.ifp == nullptr || !sends(to) || !is_in(to, way.vlan)) return false;
  if (&to == own_port_) return own_->wants(way.dst);
  if (!way.dst.is_group()) return to.settings.floods_unknown;
  return way.dst == kBroadcast ? to.settings.floods_broadcast : to.settings.floods_multicast;
}

// A copy for each but the last.
void Bridge::flood(Port& from, MbufPtr packet, const Route& way) {
  struct Target {
    Port* port;
    std::uint64_t joined;
  };
  std::array<Target, kPortsMax> to;  // chosen first: what happens on the way out may change the ports
  std::size_t count = 0;
  for (const auto& port : ports_) {
    if (port.get() != &from && is_flooded_to(*port, way)) to[count++] = {port.get(), port->joined};
  }
  const std::uint64_t origin = from.joined;
  for (std::size_t i = 0; i < count; ++i) {
    MbufPtr copy = i + 1 == count ? std::move(packet) : copy_of(domain_.pool(), *packet);
    if (copy && to[i].port->joined == to[i].joined) send(*to[i].port, way.vlan, std::move(copy));
    else if (!copy && from.joined == origin) ++from.data.flood_copies_failed;
  }
}

void Bridge::send(Port& to, std::uint16_t vlan, MbufPtr packet) {
  if (config_.filters_vlans) set_vlan(*packet, vlan, !to.settings.vlans.untagged[vlan]);
  ++to.data.given;
  if (&to == own_port_) own_->receive(std::move(packet));
  else (void)to.ifp->transmit(std::move(packet));  // which counts what it cannot send
}

}  // namespace vif::net
