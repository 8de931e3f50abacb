// SPDX-License-Identifier: BSD-2-Clause
// Where the headers of a frame are: read once, for whoever changes, cuts or compares it. Nothing in the frame is
// believed: a header that is not there whole, or says what cannot be, is not found. A plain value, any thread.
#pragma once

#include <cstdint>

#include "netstack/base/api.hpp"
#include "netstack/base/bytes.hpp"

namespace vif::net {

struct VIF_API FrameLayers {
  enum class Network : std::uint8_t { none, arp, ipv4, ipv6 };
  enum class Transport : std::uint8_t { none, tcp, udp, icmp4, icmp6 };

  static constexpr std::size_t kTagsMax = 2;
  static constexpr std::size_t kIpv4Bytes = 20, kIpv6Bytes = 40, kArpBytes = 28;  // RFC 791, RFC 8200, RFC 826
  static constexpr std::size_t kTcpBytes = 20, kUdpBytes = 8, kIcmpBytes = 8;     // RFC 9293, RFC 768, RFC 792

  std::uint8_t tags = 0;         // 802.1Q or 802.1ad, in front of `ether_type`
  std::uint16_t ether_type = 0;  // behind the tags; below 0x600 an 802.3 length
  std::size_t network_at = 0;    // behind the Ethernet header and its tags; 0: not even those are whole
  Network network = Network::none;
  std::uint8_t protocol = 0;              // IP's, behind IPv6's extension headers
  bool is_fragment = false;               // one of several pieces of an IP packet
  bool is_later_fragment = false;         // one that does not begin its packet
  std::size_t source_at = 0;              // IP's, 0 without one
  std::size_t address_bytes = 0;          // 4 or 16
  std::size_t destination_at = 0;         // IP's, 0 without one: the last, when others are on the way (RFC 8200, 8.1)
  std::size_t segments_at = 0;            // the IPv6 addresses in a routing header of type 0, 2 or 4
  std::size_t segments = 0;               // so many of them are whole
  std::size_t transport_at = 0;           // behind the IP header, 0 without one; of a later fragment its data
  Transport transport = Transport::none;  // whose header is whole; none in later fragments
  std::size_t payload_at = 0;             // behind the innermost header found
  std::size_t end = 0;                    // of the packet; what follows is padding

  static FrameLayers of(Bytes frame);

  // The addresses that a transport's checksum covers; of nobody but where there is IP.
  Bytes source(Bytes frame) const { return frame.subspan(source_at, address_bytes); }
  Bytes destination(Bytes frame) const { return frame.subspan(destination_at, address_bytes); }

 private:
  void read_ipv4(Bytes frame);
  void read_ipv6(Bytes frame);
  void read_addresses(std::size_t at, std::size_t bytes);
  void read_routing(Bytes header);
  void read_transport(Bytes frame);
};

}  // namespace vif::net
