// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/summed_frame.hpp"

#include "netstack/checksum.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
namespace {

constexpr std::uint8_t kProtocolDccp = 33, kProtocolUdpLite = 136;  // RFC 4340, 19.8; RFC 3828, 8

}  // namespace

SummedFrame::SummedFrame(MutBytes frame) : frame_(frame), layers_(FrameLayers::of(frame)) {
  const bool is_ipv4 = layers_.network == FrameLayers::Network::ipv4;
  if (is_ipv4) network_checksum_at_ = layers_.network_at + 10;
  if (layers_.transport_at != 0 && !layers_.is_later_fragment) find_transport_checksum();
}

void SummedFrame::find_transport_checksum() {
  std::size_t at = 0;
  switch (layers_.protocol) {
    case inet::kProtocolTcp:
      at = 16;  // RFC 9293, 3.1
      break;
    case inet::kProtocolUdp:
    case kProtocolUdpLite:
    case kProtocolDccp:
      at = 6;  // RFC 768, RFC 3828, 3.1, RFC 4340, 5.1
      break;
    case inet::kProtocolIcmp4:
    case inet::kProtocolIcmp6: {
      const bool is_ipv4 = layers_.network == FrameLayers::Network::ipv4;
      if (is_ipv4 != (layers_.protocol == inet::kProtocolIcmp4)) return;  // the other family's
      has_pseudo_header_ = !is_ipv4;
      at = 2;  // RFC 792, RFC 4443, 2.1
      break;
    }
    default:
      return;
  }
  at += layers_.transport_at;
  if (at + 2 > layers_.end) return;
  zero_is_none_ = layers_.protocol == inet::kProtocolUdp || layers_.protocol == kProtocolUdpLite;  // RFC 768, RFC 6935
  if (zero_is_none_ && load_be16(frame_.data() + at) == 0) return;
  transport_checksum_at_ = at;
}

bool SummedFrame::in_pseudo_header(std::size_t at) const {
  const auto lies_in = [&](std::size_t begin) { return at >= begin && at < begin + layers_.address_bytes; };
  return has_pseudo_header_ && (lies_in(layers_.source_at) || lies_in(layers_.destination_at));
}

void SummedFrame::put16(std::size_t at, std::uint16_t value) {
  const std::uint16_t before = load_be16(frame_.data() + at);
  store_be16(frame_.data() + at, value);
  const auto follow = [&](std::size_t checksum_at) {
    std::byte* const checksum = frame_.data() + checksum_at;
    const std::uint16_t after = checksum_after(load_be16(checksum), before, value);
    const bool is_none = after == 0 && zero_is_none_ && checksum_at == transport_checksum_at_;
    store_be16(checksum, is_none ? 0xffff : after);
  };
  const bool in_network = at >= layers_.network_at && at < layers_.transport_at;
  if (in_network && network_checksum_at_ != 0) follow(network_checksum_at_);
  const bool in_transport = layers_.transport_at != 0 && at >= layers_.transport_at && at < layers_.end;
  if (transport_checksum_at_ != 0 && (in_pseudo_header(at) || in_transport)) follow(transport_checksum_at_);
}

void SummedFrame::put(std::size_t at, Bytes words) {
  for (std::size_t i = 0; i + 2 <= words.size(); i += 2) put16(at + i, load_be16(words.data() + i));
}

}  // namespace vif::net
