// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/summed_frame.hpp"

#include "netstack/checksum.hpp"

namespace vif::net {

SummedFrame::SummedFrame(MutBytes frame) : frame_(frame), layers_(FrameLayers::of(frame)) {
  using Transport = FrameLayers::Transport;
  const bool is_ipv4 = layers_.network == FrameLayers::Network::ipv4;
  if (is_ipv4) network_checksum_at_ = layers_.network_at + 10;
  addresses_at_ = layers_.network_at + (is_ipv4 ? 12 : 8);
  addresses_end_ = addresses_at_ + (is_ipv4 ? 8 : 32);
  switch (layers_.transport) {
    case Transport::none:
      break;
    case Transport::tcp:
      transport_checksum_at_ = layers_.transport_at + 16;
      break;
    case Transport::udp:
      transport_checksum_at_ = layers_.transport_at + 6;
      if (is_ipv4 && load_be16(frame.data() + transport_checksum_at_) == 0) transport_checksum_at_ = 0;  // RFC 768
      break;
    case Transport::icmp4:
    case Transport::icmp6:
      transport_checksum_at_ = layers_.transport_at + 2;
      break;
  }
}

void SummedFrame::put16(std::size_t at, std::uint16_t value) {
  const std::uint16_t before = load_be16(frame_.data() + at);
  store_be16(frame_.data() + at, value);
  const auto follow = [&](std::size_t checksum_at) {
    std::byte* const checksum = frame_.data() + checksum_at;
    const std::uint16_t after = checksum_after(load_be16(checksum), before, value);
    // In UDP 0 would say that there is none (RFC 768).
    const bool is_none =
        after == 0 && layers_.transport == FrameLayers::Transport::udp && checksum_at == transport_checksum_at_;
    store_be16(checksum, is_none ? 0xffff : after);
  };
  const bool in_network = at >= layers_.network_at && at < layers_.transport_at;
  if (in_network && network_checksum_at_ != 0) follow(network_checksum_at_);
  const bool in_pseudo_header =
      at >= addresses_at_ && at < addresses_end_ && layers_.transport != FrameLayers::Transport::icmp4;
  const bool in_transport = layers_.transport_at != 0 && at >= layers_.transport_at && at < layers_.end;
  if (transport_checksum_at_ != 0 && (in_pseudo_header || in_transport)) follow(transport_checksum_at_);
}

void SummedFrame::put(std::size_t at, Bytes words) {
  for (std::size_t i = 0; i + 2 <= words.size(); i += 2) put16(at + i, load_be16(words.data() + i));
}

}  // namespace vif::net
