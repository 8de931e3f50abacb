// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/lwip/lwip_netif.hpp"

#include <algorithm>

#include "netstack/checksum.hpp"
#include "netstack/ether.hpp"
#include "netstack/inet/ip4.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net::lwip {
namespace {

constexpr std::size_t kPbufBytesMax = UINT16_MAX;  // pbuf::tot_len
constexpr std::size_t kTcpFlagsAt = 13;            // RFC 9293, 3.1
constexpr std::byte kSyn{0x02}, kAck{0x10};
constexpr std::uint8_t kProtocolTcp = 6;

// Where the TCP header is that follows a frame's IP header at once, as far as its flags; 0: there is none.
std::size_t find_tcp(Bytes frame) {
  constexpr std::size_t kIp = kEtherHeaderBytes;
  const std::uint16_t type = EtherHeader::load(frame.data()).type;
  std::size_t tcp_at = 0;
  if (type == inet::kEtherTypeIp4 && frame.size() > kIp + 9 && frame[kIp + 9] == std::byte{kProtocolTcp}) {
    tcp_at = kIp + (std::to_integer<std::size_t>(frame[kIp]) & 15) * 4;
  } else if (type == inet::kEtherTypeIp6 && frame.size() > kIp + 6 && frame[kIp + 6] == std::byte{kProtocolTcp}) {
    tcp_at = kIp + 40;
  }
  const bool whole = tcp_at >= kIp + inet::kIp4HeaderBytes && frame.size() > tcp_at + kTcpFlagsAt;
  return whole ? tcp_at : 0;
}

// Whether the packet comes from an address of ours: whatever lwIP answered, it would say to itself, and a service like
// echo without end.
bool from_ourselves(Bytes frame) {
  constexpr std::size_t kSource4At = kEtherHeaderBytes + 12, kSource6At = kEtherHeaderBytes + 8;
  const std::uint16_t type = EtherHeader::load(frame.data()).type;
  if (type == inet::kEtherTypeIp4 && frame.size() >= kSource4At + inet::kIp4AddressBytes) {
    const ip_addr_t source = to_lwip(inet::IpAddress::load4(&frame[kSource4At]));
    for (const netif* n = netif_list; n != nullptr; n = n->next) {
      if (!ip4_addr_isany_val(*netif_ip4_addr(n)) && ip4_addr_cmp(netif_ip4_addr(n), ip_2_ip4(&source))) return true;
    }
  } else if (type == inet::kEtherTypeIp6 && frame.size() >= kSource6At + inet::kIp6AddressBytes) {
    const ip_addr_t source = to_lwip(inet::IpAddress::load6(&frame[kSource6At]));
    for (const netif* n = netif_list; n != nullptr; n = n->next) {
      for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
        // A tentative one may be somebody else's, who is about to say so (RFC 4862, 5.4).
        if (!ip6_addr_isvalid(netif_ip6_addr_state(n, i))) continue;
        if (ip6_addr_cmp_zoneless(netif_ip6_addr(n, i), ip_2_ip6(&source))) return true;
      }
    }
  }
  return false;
}

// A SYN beyond what a connection that waits out its time has seen begins another one (RFC 1122, 4.2.2.13). lwIP would
// keep the client's port from it for two minutes.
void make_way(Bytes frame, std::size_t tcp_at) {
  const bool is_v4 = EtherHeader::load(frame.data()).type == inet::kEtherTypeIp4;
  const std::byte* const addresses = &frame[kEtherHeaderBytes + (is_v4 ? 12 : 8)];
  const ip_addr_t theirs = to_lwip(is_v4 ? inet::IpAddress::load4(addresses) : inet::IpAddress::load6(addresses));
  const ip_addr_t ours = to_lwip(is_v4 ? inet::IpAddress::load4(addresses + inet::kIp4AddressBytes)
                                       : inet::IpAddress::load6(addresses + inet::kIp6AddressBytes));
  const u16_t their_port = load_be16(&frame[tcp_at]), our_port = load_be16(&frame[tcp_at + 2]);
  const u32_t seq = load_be32(&frame[tcp_at + 4]);
  for (tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (pcb->remote_port != their_port || pcb->local_port != our_port ||
        !ip_addr_cmp_zoneless(&pcb->remote_ip, &theirs) || !ip_addr_cmp_zoneless(&pcb->local_ip, &ours)) {
      continue;
    }
    if (TCP_SEQ_GT(seq, pcb->rcv_nxt)) ::tcp_abort(pcb);
    return;
  }
}

// Forgets the oldest connections that only wait out their time until `kept` are left.
void trim_time_wait(std::size_t kept) {
  tcp_pcb* last_kept = tcp_tw_pcbs;
  for (std::size_t i = 1; last_kept != nullptr && i < kept; ++i) last_kept = last_kept->next;
  while (last_kept != nullptr && last_kept->next != nullptr) ::tcp_abort(last_kept->next);
}

std::size_t count(const tcp_pcb* pcbs) {
  std::size_t number = 0;
  for (; pcbs != nullptr; pcbs = pcbs->next) ++number;
  return number;
}

}  // namespace

LentMbufs::LentMbufs() : all_(std::make_unique<Lent[]>(kLentMax)) {
  for (std::size_t i = 0; i < kLentMax; ++i) {
    all_[i].owner = this;
    all_[i].pbuf.custom_free_function = take_back;
    all_[i].next = std::exchange(free_, &all_[i]);
  }
}

LentMbufs::~LentMbufs() { assert(lent_ == 0 && "lwIP still holds a packet"); }

pbuf* LentMbufs::lend(MbufPtr& packet) {
  Lent* const lent = free_;
  if (lent == nullptr || packet->next() != nullptr) return nullptr;
  const auto bytes = static_cast<u16_t>(packet->len());
  pbuf* const p = ::pbuf_alloced_custom(PBUF_RAW, bytes, PBUF_REF, &lent->pbuf, packet->data(), bytes);
  if (p == nullptr) return nullptr;
  free_ = lent->next;
  ++lent_;
  lent->packet = std::move(packet);
  return p;
}

void LentMbufs::take_back(pbuf* p) {
  auto* const lent = reinterpret_cast<Lent*>(p);
  lent->packet.reset();
  lent->next = std::exchange(lent->owner->free_, lent);
  --lent->owner->lent_;
}

Status LwipNetif::add() {
  if (::netif_add_noaddr(&netif_, this, init, ::ethernet_input) == nullptr) {
    return fail(std::errc::no_buffer_space, "lwIP has no number left for " + ifp_.name());
  }
  added_ = true;
  netif_set_igmp_mac_filter(&netif_, igmp_filter);
  netif_set_mld_mac_filter(&netif_, mld_filter);
  // Every node's (RFC 4291, 2.8): routers announce themselves there, and lwIP asks for it nowhere.
  if (program(ipv6_group(inet::kAllNodes6.octets), NETIF_ADD_MAC_FILTER) != ERR_OK) {
    return fail(std::errc::no_buffer_space, ifp_.name() + " has no room for the group of all IPv6 nodes");
  }
  ::netif_create_ip6_linklocal_address(&netif_, 1);
  netif_set_ip6_autoconfig_enabled(&netif_, 1);
  follow_link();
  ::netif_set_up(&netif_);
  ifp_.set_input(this);
  return {};
}

LwipNetif::~LwipNetif() {
  if (!added_) return;
  ifp_.set_input(nullptr);
  ::netif_remove(&netif_);
  if (netif_.loop_first != nullptr) ::pbuf_free(netif_.loop_first);
  for (const MacRange& group : joined_) (void)ifp_.ioctl(DelMulti{group});
}

err_t LwipNetif::init(netif* n) {
  n->name[0] = 'v';
  n->name[1] = 'i';
  n->hwaddr_len = kMacBytes;
  n->output = ::etharp_output;
  n->output_ip6 = ::ethip6_output;
  n->linkoutput = output;
  n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
  const Ifnet& ifp = static_cast<LwipNetif*>(n->state)->ifp_;
  std::copy(ifp.lladdr().octets.begin(), ifp.lladdr().octets.end(), n->hwaddr);
  return ERR_OK;
}

void LwipNetif::follow_link() {
  std::copy(ifp_.lladdr().octets.begin(), ifp_.lladdr().octets.end(), netif_.hwaddr);
  netif_.mtu = static_cast<u16_t>(std::min<std::uint32_t>(ifp_.mtu_bytes(), UINT16_MAX));
  netif_.mtu6 = netif_.mtu;
  if (ifp_.link_state() == LinkState::down) ::netif_set_link_down(&netif_);
  else ::netif_set_link_up(&netif_);
}

// A super-frame goes in whole, as if a NIC had put it together: lwIP reads any segment within its window.
void LwipNetif::input(Ifnet& ifp, MbufPtr packet) {
  if ((packet->pkthdr.flags & M_PROMISC) != 0) return ifp.drop(DropReason::promisc_only, *packet);
  if (packet->pkthdr.len > kPbufBytesMax || !complete(packet)) return ifp.drop(DropReason::bad_length, *packet);
  if (from_ourselves(packet->bytes())) return shared_.own_source.add(1);
  const Bytes frame = packet->bytes();
  const std::size_t tcp_at = find_tcp(frame);
  const bool syn = tcp_at != 0 && (frame[tcp_at + kTcpFlagsAt] & (kSyn | kAck)) == kSyn;
  if (syn && !shared_.admits(0)) return shared_.syn_refused.add(1);
  if (syn) make_way(frame, tcp_at);
  pbuf* p = shared_.lent.lend(packet);
  if (p == nullptr) {
    p = ::pbuf_alloc(PBUF_RAW, static_cast<u16_t>(packet->pkthdr.len), PBUF_RAM);
    if (p == nullptr) return ifp.drop(DropReason::no_mbuf, *packet);
    m_copydata(*packet, 0, {static_cast<std::byte*>(p->payload), packet->pkthdr.len});
    shared_.copied.add(1);
  }
  const tcp_pcb* const before = tcp_active_pcbs;
  if (::ethernet_input(p, &netif_) != ERR_OK) ::pbuf_free(p);
  if (tcp_active_pcbs != before && !syn) admit_hidden();
  shared_.stack->rearm();
}

// A SYN may also come behind extension headers.
void LwipNetif::admit_hidden() {
  if (tcp_active_pcbs == nullptr || tcp_active_pcbs->state != SYN_RCVD || shared_.admits(1)) return;
  ::tcp_abort(tcp_active_pcbs);
  shared_.syn_refused.add(1);
}

// lwIP checks every checksum, so what the sender left to the wire is done here. False: it cannot be.
bool LwipNetif::complete(MbufPtr& packet) {
  if (!packet->pkthdr.offload.is_pending()) return true;
  packet->pkthdr.offload.gso_type = Offload::kGsoNone;
  return complete_checksum(*packet);
}

// lwIP takes its connections from malloc, without end.
bool LwipNetif::Shared::admits(std::size_t listed) {
  if (++connections <= connections_max) return true;
  trim_time_wait(connections_max / 2);
  connections = count(tcp_active_pcbs) + 1 - listed;
  return connections <= connections_max;
}

err_t LwipNetif::output(netif* n, pbuf* p) {
  Ifnet& ifp = static_cast<LwipNetif*>(n->state)->ifp_;
  MbufPtr frame = ifp.domain().pool().get(p->tot_len);
  if (!frame) {
    ifp.drop(DropReason::tx_no_mbuf);
    return ERR_MEM;
  }
  ::pbuf_copy_partial(p, MbufPool::append(*frame, p->tot_len), p->tot_len, 0);
  return ifp.transmit(std::move(frame)) ? ERR_OK : ERR_IF;
}

err_t LwipNetif::igmp_filter(netif* n, const ip4_addr_t* group, netif_mac_filter_action action) {
  std::array<std::uint8_t, 4> octets;
  std::memcpy(octets.data(), &group->addr, octets.size());
  return static_cast<LwipNetif*>(n->state)->program(ipv4_group(octets), action);
}

err_t LwipNetif::mld_filter(netif* n, const ip6_addr_t* group, netif_mac_filter_action action) {
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), group->addr, octets.size());
  return static_cast<LwipNetif*>(n->state)->program(ipv6_group(octets), action);
}

err_t LwipNetif::program(const MacRange& group, netif_mac_filter_action action) {
  if (action == NETIF_ADD_MAC_FILTER) {
    if (!ifp_.ioctl(AddMulti{group})) return ERR_MEM;
    joined_.push_back(group);
    return ERR_OK;
  }
  const auto at = std::find(joined_.begin(), joined_.end(), group);
  if (at == joined_.end()) return ERR_VAL;
  joined_.erase(at);
  return ifp_.ioctl(DelMulti{group}) ? ERR_OK : ERR_VAL;
}

}  // namespace vif::net::lwip
