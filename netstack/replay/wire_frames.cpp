// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/wire_frames.hpp"

#include "netstack/checksum.hpp"
#include "netstack/segmenter.hpp"

namespace vif::net {

bool wire_frames(MutBytes frame, const Offload& offload, MbufPool& pool, Scratch& scratch, std::vector<Bytes>& wire) {
  const MbufPtr packet = pool.attach_external(
      frame, [](void*, MutBytes) {}, nullptr);
  if (!packet) return false;
  packet->pkthdr.offload = offload;
  if (!offload.is_super_frame()) {
    if (!complete_checksum(*packet)) return false;
    wire.push_back(frame);
    return true;
  }
  Segmenter segmenter;
  if (!segmenter.open(*packet)) return false;
  while (!segmenter.done()) {
    const MutBytes piece = scratch.take(Segmenter::kHeaderBytesMax + segmenter.peek().payload_bytes);
    Segmenter::Segment next = segmenter.next(piece);
    std::byte* to = piece.data() + next.header_bytes;
    for (std::size_t left = next.payload_bytes; left > 0;) {
      const Bytes part = next.payload.take(left);
      to = std::copy(part.begin(), part.end(), to);
      left -= part.size();
    }
    wire.push_back(piece.first(next.bytes()));
  }
  return true;
}

}  // namespace vif::net
