// SPDX-License-Identifier: BSD-2-Clause
// Why a frame went no further. Every frame offered to an interface is passed or counted under exactly one of these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vif {

enum class DropReason : std::uint8_t {
  // Receive, below the driver: the backend says so.
  other_linktype,  // a capture's frame that is not Ethernet
  other_network,   // a tunnel's frame, of another network than ours
  unknown_peer,    // from somebody who is no end of the tunnel
  rx_overrun,      // the backend's receive buffer was full
  rx_impaired,     // an impaired link was asked to lose it, or had no room for it to wait
  rx_malformed,    // the wire's own framing was wrong: a length that cannot be, a frame cut off
  // Receive, in the order the driver asks; the first that matches wins.
  not_running,  // the interface is down or stopped
  too_short,    // fewer than the 14 bytes of an Ethernet header
  too_long,     // more than MTU + 14 (+ 4 when tagged)
  own_echo,     // our own frame, reflected by the medium
  not_for_us,   // neither our address, broadcast nor a joined group, and not promiscuous
  no_mbuf,      // the pool is empty
  // Receive, above the driver.
  promisc_only,  // only here because of promiscuous mode: shown to taps, kept from protocols
  bad_length,    // an 802.3 length, a VLAN tag or an offload promises more than the frame holds
  unknown_type,  // no protocol registered for the EtherType or LLC address
  // Transmit.
  queue_full,    // the send queue was full
  tx_too_short,  // fewer than the 14 bytes of an Ethernet header
  tx_too_long,   // larger than the MTU or than the backend takes
  tx_offload,    // wants a checksum or segmentation that its headers do not allow
  tx_no_mbuf,    // needed copying into one piece, and the pool was empty
  tx_down,       // the interface or the backend went down with the frame queued
  tx_impaired,   // as rx_impaired, after the backend took the frame
  tx_error,      // the backend took the frame and failed later
  // Replay.
  filtered,  // the user's capture filter said no
  kCount,
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::kCount);

inline constexpr std::array<std::string_view, kDropReasons> kDropReasonNames = {
    "other_linktype", "other_network", "unknown_peer", "rx_overrun",  "rx_impaired",  "rx_malformed",
    "not_running",    "too_short",     "too_long",     "own_echo",    "not_for_us",   "no_mbuf",
    "promisc_only",   "bad_length",    "unknown_type", "queue_full",  "tx_too_short", "tx_too_long",
    "tx_offload",     "tx_no_mbuf",    "tx_down",      "tx_impaired", "tx_error",     "filtered",
};

// Whether it is a frame on its way out.
constexpr bool is_transmit(DropReason reason) {
  return reason >= DropReason::queue_full && reason <= DropReason::tx_error;
}

constexpr std::string_view name(DropReason reason) { return kDropReasonNames[static_cast<std::size_t>(reason)]; }

}  // namespace vif
