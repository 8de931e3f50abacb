// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a block, a slot and the control messages of a packet socket: no frame lies outside of what was given,
// and every frame that is promised is read or counted.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "hypercall/uring/packet_frame.hpp"

namespace {

using namespace vif;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}
void require_inside(Bytes all, Bytes part) {
  require(part.empty() || (part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size()));
}

void read_block(std::vector<std::byte> block, bool vnet) {
  host::BlockReader reader(block, vnet);
  const bool promises = block.size() >= sizeof(tpacket_block_desc);
  tpacket_block_desc description{};
  if (promises) std::memcpy(&description, block.data(), sizeof description);
  std::uint64_t frames = 0, lost = 0;
  std::array<drv::RxFrame, 8> burst;
  while (!reader.done()) {
    const std::size_t n = reader.read(burst, lost);
    for (const drv::RxFrame& frame : std::span(burst).first(n)) require_inside(block, frame.bytes);
    frames += n;
  }
  require(frames + lost == (promises ? description.hdr.bh1.num_pkts : 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                     reinterpret_cast<const std::byte*>(data) + size);
  read_block(bytes, true);
  read_block(bytes, false);
  std::vector<std::byte> slot = bytes;
  drv::RxFrame frame;
  if (host::frame_in_slot(slot, size % 2 == 0, frame) == host::Placed::whole) require_inside(slot, frame.bytes);
  host::notes_in_control(bytes);
  return 0;
}
