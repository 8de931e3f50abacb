// SPDX-License-Identifier: BSD-2-Clause
// The virtio_net_hdr that a TAP or a packet socket puts before a frame, and wants before ours: the legacy one of 10
// bytes (OASIS virtio 1.2, 5.1.6.1), in host byte order as Linux has it unless told otherwise. Any thread.
#pragma once

#include <cstddef>
#include <cstring>

#include "netstack/ether_demux.hpp"
#include "netstack/offload.hpp"

namespace vif::host {

inline constexpr std::size_t kVnetHeaderBytes = 10;
static_assert(sizeof(net::Offload) == kVnetHeaderBytes);
static_assert(offsetof(net::Offload, flags) == 0 && offsetof(net::Offload, gso_type) == 1);
static_assert(offsetof(net::Offload, hdr_len) == 2 && offsetof(net::Offload, gso_size) == 4);
static_assert(offsetof(net::Offload, csum_start) == 6 && offsetof(net::Offload, csum_offset) == 8);

inline void write_vnet_header(const net::Offload& offload, std::byte* to) { std::memcpy(to, &offload, sizeof offload); }

// What the header before a frame of this length says is left to do. One that contradicts its frame says nothing.
inline net::Offload read_vnet_header(const std::byte* from, std::size_t frame_bytes) {
  net::Offload offload;
  std::memcpy(&offload, from, sizeof offload);
  const bool checksum = (offload.flags & net::Offload::kNeedsChecksum) != 0;
  const std::size_t checksum_end = std::size_t{offload.csum_start} + offload.csum_offset + sizeof(std::uint16_t);
  if (checksum && (offload.csum_start < net::kEtherHeaderBytes || checksum_end > frame_bytes)) return {};
  if (offload.is_super_frame() && (!checksum || offload.gso_size == 0)) return {};
  if (!net::OffloadSet::all().takes(offload)) return {};
  return offload;
}

}  // namespace vif::host
