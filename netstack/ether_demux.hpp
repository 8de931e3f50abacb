// SPDX-License-Identifier: BSD-2-Clause
// Who wants which frames: protocols by EtherType, or by LLC address for 802.3 frames. One table per domain,
// and one for an interface with protocols of its own (Ifnet::set_demux); on the domain's thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/mac_address.hpp"
#include "netstack/mbuf.hpp"

namespace vif::net {

class Ifnet;

inline constexpr std::size_t kEtherHeaderBytes = 14;    // IEEE 802.3-2018, 3.1.1, without preamble and FCS
inline constexpr std::size_t kVlanTagBytes = 4;         // IEEE 802.1Q-2018, 9.3
inline constexpr std::uint16_t kEtherTypeMin = 0x0600;  // below it is a length: IEEE 802.3-2018, 3.2.6
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint16_t kEtherTypeQinq = 0x88a8;  // IEEE 802.1ad service tag

// The first 14 bytes of a frame. The only place that knows their offsets.
struct EtherHeader {
  MacAddress dst, src;
  std::uint16_t type = 0;  // EtherType or 802.3 length

  // The header at `from`, which has kEtherHeaderBytes.
  static EtherHeader load(const std::byte* from) {
    return {MacAddress::load(from), MacAddress::load(from + kMacBytes), load_type(from)};
  }
  static std::uint16_t load_type(const std::byte* from) { return load_be16(from + 2 * kMacBytes); }
  void store(std::byte* to) const {
    dst.store(to);
    src.store(to + kMacBytes);
    store_be16(to + 2 * kMacBytes, type);
  }
};

// The longest frame an MTU allows: its tag is extra (IEEE 802.3-2018, 3.2.7 with 802.1Q).
constexpr std::size_t frame_bytes_max(std::uint32_t mtu_bytes, std::uint16_t ether_type) {
  const bool tagged = ether_type == kEtherTypeVlan || ether_type == kEtherTypeQinq;
  return mtu_bytes + kEtherHeaderBytes + (tagged ? kVlanTagBytes : 0);
}

// A protocol above Ethernet. `payload` is the callee's, without Ethernet header, tag, LLC header and 802.3 padding; its
// offload, counted from the payload's first byte, is as IfInput says.
class EtherProtocol {
 public:
  virtual ~EtherProtocol() = default;
  virtual void ether_protocol_input(Ifnet& ifp, const EtherHeader& header, MbufPtr payload) = 0;
};

// What a protocol asks for: an EtherType, or a destination service access point of LLC (IEEE 802.2, 3.2).
using EtherKey = std::uint32_t;
constexpr EtherKey ether_type_key(std::uint16_t ether_type) { return ether_type; }
constexpr EtherKey llc_key(std::uint8_t dsap) { return 0x10000U | dsap; }

class VIF_API EtherDemux {
 public:
  // One protocol a key. EEXIST: taken.
  Status attach(EtherKey key, EtherProtocol& protocol);
  void detach(EtherKey key);
  EtherProtocol* find(EtherKey key) const;

 private:
  std::vector<std::pair<EtherKey, EtherProtocol*>> protocols_;  // a handful: searched in order
};

}  // namespace vif::net
