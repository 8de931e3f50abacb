// SPDX-License-Identifier: BSD-2-Clause
// Which frames of a burst a backend may take, by their size. Any thread.
#pragma once

#include <algorithm>

#include "netstack/ether_demux.hpp"
#include "virtif/link.hpp"

namespace vif::host {

// What send answers when only size matters: the frames up to the first above `frame_bytes_max`.
inline drv::SendResult fitting(std::span<const drv::TxFrame> frames, std::uint32_t frame_bytes_max) {
  const auto end = std::find_if(frames.begin(), frames.end(),
                                [=](const drv::TxFrame& frame) { return frame.bytes > frame_bytes_max; });
  return {static_cast<std::size_t>(end - frames.begin()),
          end == frames.end() ? drv::SendStatus::ok : drv::SendStatus::message_size};
}

// Whether a frame that is sent as it is fits a wire whose `frame_bytes_max` is without a tag, as an Ethernet
// interface's is.
inline bool fits_with_tag(const drv::TxFrame& frame, std::uint32_t frame_bytes_max) {
  if (frame.bytes <= frame_bytes_max) return true;
  constexpr std::size_t kTypeAt = 2 * net::kMacBytes;
  const Bytes header = frame.slices[0];
  return frame.bytes <= frame_bytes_max + net::kVlanTagBytes && header.size() >= net::kEtherHeaderBytes &&
         load_be16(&header[kTypeAt]) == net::kEtherTypeVlan;
}

}  // namespace vif::host
