// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the header a TAP or a packet socket puts before a frame: what it says is left to do lies within the
// frame and is of a kind there is, or it says nothing; and what we write reads back as what we meant.
//
// Input: two bytes for the length of the frame (big-endian), then the header.
#include <cstdint>

#include "hypercall/vnet_header.hpp"
#include "netstack/base/bytes.hpp"

namespace {

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 + vif::host::kVnetHeaderBytes) return 0;
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  const std::size_t frame_bytes = vif::load_be16(bytes);
  const vif::net::Offload offload = vif::host::read_vnet_header(bytes + 2, frame_bytes);
  require(vif::net::OffloadSet::all().takes(offload));
  if ((offload.flags & vif::net::Offload::kNeedsChecksum) != 0) {
    require(offload.csum_start >= vif::net::kEtherHeaderBytes);
    require(std::size_t{offload.csum_start} + offload.csum_offset + 2 <= frame_bytes);
  }
  if (offload.is_super_frame()) {
    require((offload.flags & vif::net::Offload::kNeedsChecksum) != 0);
    require(offload.gso_size > 0);
  }
  std::byte written[vif::host::kVnetHeaderBytes];
  vif::host::write_vnet_header(offload, written);
  require(vif::host::read_vnet_header(written, frame_bytes) == offload);
  return 0;
}
