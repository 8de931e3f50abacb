// SPDX-License-Identifier: BSD-2-Clause
// Frames with work left for fuzz targets: the input lies over a sound one, or hardly any would get past the headers.
#pragma once

#include "tests/support/super_frames.hpp"

namespace vif::test {

inline constexpr std::size_t kOffloadBytes = 10;  // of virtio_net_hdr, little-endian

// `input` over the base, kOffloadBytes of Offload first and then as much of the frame as there is, at most
// `frame_bytes_max`: all zeros leave it as it is. The input has kOffloadBytes.
inline SuperFrame mutated(SuperFrame base, Bytes input, std::size_t frame_bytes_max) {
  const auto le16 = [&](std::size_t at) { return load<std::uint16_t, std::endian::little>(input.data() + at); };
  net::Offload& offload = base.offload;
  offload.flags ^= std::to_integer<std::uint8_t>(input[0]);
  offload.gso_type ^= std::to_integer<std::uint8_t>(input[1]);
  offload.hdr_len ^= le16(2);
  offload.gso_size ^= le16(4);
  offload.csum_start ^= le16(6);
  offload.csum_offset ^= le16(8);
  const Bytes over = input.subspan(kOffloadBytes, std::min(input.size() - kOffloadBytes, frame_bytes_max));
  if (base.bytes.size() < over.size()) base.bytes.resize(over.size());
  for (std::size_t i = 0; i < over.size(); ++i) base.bytes[i] ^= over[i];
  return base;
}

}  // namespace vif::test
