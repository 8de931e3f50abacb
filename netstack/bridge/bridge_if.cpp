// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bridge/bridge_if.hpp"

#include <algorithm>

namespace vif::net {

BridgeIf::BridgeIf(Domain& domain, std::uint32_t unit, BridgeIfSwitch& to)
    : ifp_(domain, *this, "bridge", unit, IfQueue::kDefaultFrames), to_(to) {
  ether_ifattach(ifp_, random_mac(domain.random().next()));
  ifp_.set_link_state(LinkState::up);
}

BridgeIf::~BridgeIf() {
  if (ifp_.is(IFF_RUNNING)) if_stop();
  if (ifp_.index() != 0) ifp_.domain().withdraw(ifp_);
  ether_ifdetach(ifp_);
}

bool BridgeIf::wants(const MacAddress& dst) const {
  if (!ifp_.is(IFF_RUNNING)) return false;
  if (dst == ifp_.lladdr() || dst == kBroadcast || ifp_.is(IFF_PROMISC)) return true;
  if (!dst.is_group()) return false;
  const auto& groups = ifp_.groups().entries();
  return ifp_.is(IFF_ALLMULTI) ||
         std::any_of(groups.begin(), groups.end(), [&](const auto& entry) { return entry.range.lo == dst; });
}

void BridgeIf::receive(MbufPtr frame) {
  IfCounters& count = ifp_.counters;
  PktHdr& header = frame->pkthdr;
  std::array<std::byte, kMacBytes> bytes;
  m_copydata(*frame, 0, bytes);
  const MacAddress dst = MacAddress::load(bytes.data());
  header.rcvif = ifp_.index();
  header.flags &= static_cast<std::uint16_t>(~(M_BCAST | M_MCAST | M_PROMISC));
  if (dst == kBroadcast) header.flags |= M_BCAST;
  else if (dst.is_group()) header.flags |= M_MCAST;
  else if (dst != ifp_.lladdr()) header.flags |= M_PROMISC;
  if (dst.is_group()) count.imcasts.add(1);
  count.ipackets.add(1);
  count.ibytes.add(header.len);
  count.isegments.add(segments(header.offload, header.len));
  ifp_.taps.mtap(*frame, BpfDirection::in);
  ifp_.input(std::move(frame));
}

Status BridgeIf::if_init() {
  ifp_.set_flag(IFF_RUNNING, true);
  return {};
}

void BridgeIf::if_stop() {
  ifp_.set_flag(IFF_RUNNING, false);
  ifp_.purge(DropReason::tx_down);
}

// What is sent from inside only queues, and the loop picks it up.
void BridgeIf::if_start() {
  if (starting_) return;
  const UpcallScope scope(ifp_.domain());
  starting_ = true;
  while (ifp_.snd.size() > 0) {
    MbufPtr frame = ifp_.snd.pop();
    IfCounters& count = ifp_.counters;
    count.otaken.add(1);
    count.obytes.add(frame->pkthdr.len);
    count.osegments.add(segments(frame->pkthdr.offload, frame->pkthdr.len));
    if ((frame->pkthdr.flags & (M_BCAST | M_MCAST)) != 0) count.omcasts.add(1);
    ifp_.taps.mtap(*frame, BpfDirection::out);
    to_.switch_own(std::move(frame));
  }
  starting_ = false;
}

// What it passes up it asks of the Ifnet for each frame: there is nothing to program.
Status BridgeIf::if_ioctl(const IfRequest& request) {
  const MacAddress before = ifp_.lladdr();
  Result<Reprogram> done = ether_ioctl(ifp_, request);
  if (!done) return std::move(done).error();
  if (ifp_.lladdr() != before) ifp_.domain().announce_link_change(ifp_);
  return {};
}

}  // namespace vif::net
