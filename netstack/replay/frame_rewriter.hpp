// SPDX-License-Identifier: BSD-2-Clause
// Changes frames before they are sent, so that a capture fits another network: addresses, ports, tags, time to live.
// Checksums follow what changes (RFC 1624) and nothing else: one that was wrong stays as wrong as it was.
//
// Rules are applied to each frame in the order they were given. A plain value once parsed; any thread.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "netstack/base/result.hpp"
#include "netstack/inet/ip_address.hpp"
#include "netstack/mac_address.hpp"
#include "netstack/replay/scratch.hpp"

namespace vif::net {

class VIF_API FrameRewriter {
 public:
  // Rules with commas in between. EINVAL says what was expected.
  //   eth.src=MAC  eth.dst=MAC     set; mac:OLD=NEW replaces it wherever it is, in ARP and Neighbor Discovery, too
  //   vlan=push:ID  vlan=pop       the outermost tag; vlan=ID changes its id, where there is one
  //   ip:OLD/N=NEW/N               what lies in OLD/N moves to NEW/N, on both sides, in ARP and Neighbor Discovery;
  //                                IPv4 or IPv6
  //   port:OLD=NEW                 of TCP and UDP, on both sides
  //   ttl=N                        and IPv6's hop limit
  static Result<FrameRewriter> parse(std::string_view rules);

  bool empty() const { return rules_.empty(); }
  // The frame as it is to be sent: in `scratch`, or itself when there are no rules.
  Bytes rewrite(Bytes frame, Scratch& scratch) const;

 private:
  struct SetMac {
    std::size_t at;
    MacAddress to;
  };
  struct MapMac {
    MacAddress from, to;
  };
  struct PushTag {
    std::uint16_t id;
  };
  struct PopTag {};
  struct SetTag {
    std::uint16_t id;
  };
  struct MapAddress {
    inet::IpPrefix from, to;  // of one family and length
  };
  struct MapPort {
    std::uint16_t from, to;
  };
  struct SetTtl {
    std::uint8_t to;
  };
  using Rule = std::variant<SetMac, MapMac, PushTag, PopTag, SetTag, MapAddress, MapPort, SetTtl>;

  static Result<Rule> parse_rule(std::string_view text);
  static Result<Rule> parse_vlan(std::string_view value, std::string_view rule);
  static Result<Rule> parse_map(std::string_view key, std::string_view value, std::string_view rule);

  // Each gives the frame as it is then: the same bytes, changed, or fewer or more of the same storage.
  static MutBytes apply(const SetMac& rule, MutBytes frame);
  static MutBytes apply(const MapMac& rule, MutBytes frame);
  static MutBytes apply(const PushTag& rule, MutBytes frame);
  static MutBytes apply(const PopTag& rule, MutBytes frame);
  static MutBytes apply(const SetTag& rule, MutBytes frame);
  static MutBytes apply(const MapAddress& rule, MutBytes frame);
  static MutBytes apply(const MapPort& rule, MutBytes frame);
  static MutBytes apply(const SetTtl& rule, MutBytes frame);

  std::vector<Rule> rules_;
  std::size_t tags_pushed_ = 0;
};

}  // namespace vif::net
