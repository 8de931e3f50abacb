// SPDX-License-Identifier: BSD-2-Clause
// Who talks to whom in a frame: by its IP addresses, protocol and ports; by the IPv4 addresses an ARP packet is about;
// else by its Ethernet addresses. A plain value, any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "netstack/inet/ip_address.hpp"
#include "netstack/replay/frame_layers.hpp"

namespace vif::net {

struct VIF_API FrameFlow {
  struct End {
    inet::IpAddress address = {};
    MacAddress mac = {};  // where there is no IP address
    std::uint16_t port = 0;
    auto operator<=>(const End&) const = default;
  };

  FrameLayers::Network network = FrameLayers::Network::none;
  std::uint8_t protocol = 0;  // IP's
  bool has_ports = false;     // TCP's or UDP's, and not of a fragment
  End source = {}, destination = {};

  // Of a runt all is zero.
  static FrameFlow of(Bytes frame) { return of(frame, FrameLayers::of(frame)); }
  static FrameFlow of(Bytes frame, const FrameLayers& layers);
  // Likewise; a first fragment, which holds its packet's ports, has them.
  static FrameFlow with_ports_of_first_fragments(Bytes frame);

  // The same for both directions: the lesser end is the source.
  FrameFlow either_way() const;
  auto operator<=>(const FrameFlow&) const = default;

  std::string end_text(const End& end) const;  // "192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.1", "02:00:00:00:00:01"
  std::string protocol_text() const;           // "TCP", "ARP", "IP protocol 47", "Ethernet"

 private:
  void read_ports(Bytes frame, const FrameLayers& layers);
  static FrameFlow without_ports(Bytes frame, const FrameLayers& layers);
};

struct VIF_API FrameFlowHash {
  std::size_t operator()(const FrameFlow& flow) const;
};

}  // namespace vif::net
