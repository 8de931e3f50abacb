// SPDX-License-Identifier: BSD-2-Clause
// What interfaces say of themselves to whoever records it: the tracepoints of a domain, group "virtif". Each frame that
// is dropped is told when it is counted, so that the events' frames add up to the counters. The domain's thread.
#pragma once

#include "netstack/base/drop_reason.hpp"
#include "netstack/base/tracepoint.hpp"

namespace vif::net {

struct IfTrace {
  using Text = std::string_view;
  using MacText = std::array<char, 18>;  // "02:00:5e:10:00:01"; empty where no Ethernet header is known

  // `bytes`: of the frame, 0 where nothing is known of it, as of those a backend lost; `frames` is 1 for any other.
  // `type`: EtherType or 802.3 length.
  Tracepoint<"rx_drop ifname reason frames bytes dst src type", Text, Text, std::uint64_t, std::uint32_t, MacText,
             MacText, std::uint16_t>
      rx_drop;
  Tracepoint<"tx_drop ifname reason frames bytes dst src type", Text, Text, std::uint64_t, std::uint32_t, MacText,
             MacText, std::uint16_t>
      tx_drop;
  // A burst that the backend delivered, and one that it was given: how many it took, and why not the rest.
  Tracepoint<"rx_burst ifname frames", Text, std::uint32_t> rx_burst;
  Tracepoint<"tx_burst ifname frames taken status", Text, std::uint32_t, std::uint32_t, Text> tx_burst;
  // The carrier is "up", "down" or "unknown"; `why` is the backend's word on a link that went down, if it has one.
  Tracepoint<"linkstate ifname state why", Text, Text, Text> linkstate;
  // Whether frames move: 1 from the moment they may, 0 from the moment they may not.
  Tracepoint<"running ifname on", Text, std::uint8_t> running;

  std::array<AnyTracepoint*, 6> all() { return {&rx_drop, &tx_drop, &rx_burst, &tx_burst, &linkstate, &running}; }

  bool wants(DropReason reason) const { return is_transmit(reason) ? tx_drop.enabled() : rx_drop.enabled(); }
};

}  // namespace vif::net
