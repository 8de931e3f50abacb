// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/bridge/loop_probe.hpp"

#include "netstack/ether_demux.hpp"

namespace vif::net {
namespace {

// Behind the Ethernet header, all in network order: what it is, the bridge, the port, the round, and the hash of these.
constexpr std::uint16_t kType = 0x88b5;                  // IEEE 802: local experimental EtherType 1
constexpr std::uint64_t kMagic = 0x7669'666c'6f6f'7001;  // "vifloop" and a version
constexpr std::size_t kMagicAt = kEtherHeaderBytes, kBridgeAt = kMagicAt + 8, kPortAt = kBridgeAt + 8,
                      kRoundAt = kPortAt + 8, kHashAt = kRoundAt + 8;
static_assert(kHashAt + 8 <= LoopProbes::kBytes);

std::uint64_t number(Bytes bytes, std::size_t at) { return load<std::uint64_t, std::endian::big>(bytes.data() + at); }
void put(MutBytes bytes, std::size_t at, std::uint64_t value) {
  store<std::uint64_t, std::endian::big>(bytes.data() + at, value);
}

}  // namespace

std::array<std::byte, LoopProbes::kBytes> LoopProbes::make(std::uint64_t port, const MacAddress& source) const {
  std::array<std::byte, kBytes> frame{};
  EtherHeader{kGroup, source, kType}.store(frame.data());
  put(frame, kMagicAt, kMagic);
  put(frame, kBridgeAt, bridge_);
  put(frame, kPortAt, port);
  put(frame, kRoundAt, round_);
  put(frame, kHashAt, hash_of(frame));
  return frame;
}

bool LoopProbes::is_ours(Bytes bytes) const {
  return EtherHeader::load_type(bytes.data()) == kType && number(bytes, kMagicAt) == kMagic &&
         number(bytes, kBridgeAt) == bridge_ && number(bytes, kHashAt) == hash_of(bytes);
}

std::optional<std::uint64_t> LoopProbes::sent_by(Bytes bytes) const {
  if (round_ - number(bytes, kRoundAt) > 1) return std::nullopt;
  return number(bytes, kPortAt);
}

std::uint64_t LoopProbes::hash_of(Bytes bytes) const { return hash_(bytes.subspan(kMagicAt, kHashAt - kMagicAt)); }

}  // namespace vif::net
