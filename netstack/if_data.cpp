// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/if_data.hpp"

#include <algorithm>
#include <initializer_list>

namespace vif::net {
namespace {

std::uint64_t sum(const IfData& data, std::initializer_list<DropReason> reasons) {
  std::uint64_t total = 0;
  for (const DropReason reason : reasons) total += data.dropped(reason);
  return total;
}

}  // namespace

std::uint64_t IfData::received() const {
  using enum DropReason;
  return ipackets + sum(*this, {other_linktype, other_network, unknown_peer, rx_overrun, rx_impaired, rx_malformed,
                                not_running, too_short, too_long, own_echo, not_for_us, no_mbuf});
}

std::uint64_t IfData::offered() const {
  using enum DropReason;
  return opackets - ocut +
         sum(*this, {queue_full, tx_too_short, tx_too_long, tx_offload, tx_no_mbuf, tx_down, tx_impaired, tx_error});
}

IfData IfCounters::read() const {
  using enum DropReason;
  IfData data{};
  for (std::size_t i = 0; i < kDropReasons; ++i) data.drops[i] = drops_[i].get();
  data.ipackets = ipackets.get();
  data.ibytes = ibytes.get();
  data.imcasts = imcasts.get();
  data.isegments = isegments.get();
  data.ocut = ocut.get();  // before otaken, of which it is a part
  // What was taken before the counters were zeroed may fail after.
  const std::uint64_t taken_and_lost = sum(data, {tx_impaired, tx_error});
  data.opackets = std::max(otaken.get(), taken_and_lost) - taken_and_lost;
  data.obytes = obytes.get();
  data.omcasts = omcasts.get();
  data.osegments = osegments.get();
  data.ierrors = sum(data, {rx_malformed, too_short, too_long});
  data.iqdrops = sum(data, {rx_overrun, rx_impaired, no_mbuf});
  data.noproto = sum(data, {bad_length, unknown_type});
  data.oerrors = sum(data, {tx_too_short, tx_too_long, tx_offload, tx_no_mbuf, tx_down, tx_impaired, tx_error});
  data.oqdrops = sum(data, {queue_full});
  data.linearised = linearised.get();
  data.lastchange = Time(lastchange_ns_.load(std::memory_order_relaxed));
  return data;
}

IfData IfCounters::take(Time now) {
  const IfData before = read();
  for (Counter* counter :
       {&ipackets, &ibytes, &imcasts, &isegments, &otaken, &obytes, &omcasts, &osegments, &ocut, &linearised})
    counter->reset();
  for (Counter& counter : drops_) counter.reset();
  changed(now);
  return before;
}

}  // namespace vif::net
