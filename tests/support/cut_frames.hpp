// SPDX-License-Identifier: BSD-2-Clause
// A super-frame cut into whole frames, or one with an open checksum finished: what the library makes of them, as plain
// bytes.
#pragma once

#include "netstack/checksum.hpp"
#include "netstack/segmenter.hpp"
#include "tests/support/super_frames.hpp"

namespace vif::test {

// Nothing when it is refused. `pool` is for a chain of pieces of `piece_bytes`.
inline std::vector<Frame> cut_frames(net::MbufPool& pool, const SuperFrame& whole, std::size_t piece_bytes = SIZE_MAX) {
  const net::MbufPtr m = chain(pool, whole.bytes, piece_bytes);
  m->pkthdr.offload = whole.offload;
  std::vector<Frame> frames;
  net::Segmenter segmenter;
  if (!segmenter.open(*m)) return frames;
  while (!segmenter.done()) {
    Frame frame(net::Segmenter::kHeaderBytesMax);
    net::Segmenter::Segment segment = segmenter.next(frame);
    frame.resize(segment.header_bytes);
    for (std::size_t left = segment.payload_bytes; left > 0;) {
      const Bytes piece = segment.payload.take(left);
      frame.insert(frame.end(), piece.begin(), piece.end());
      left -= piece.size();
    }
    assert(frame.size() <= segmenter.segment_bytes_max());
    frames.push_back(frame);
  }
  assert(frames.size() == segmenter.segments());
  assert(flat(*m) == whole.bytes);
  return frames;
}

// Nothing when it is refused.
inline std::vector<Frame> finished_frame(net::MbufPool& pool, const SuperFrame& open,
                                         std::size_t piece_bytes = SIZE_MAX) {
  const net::MbufPtr m = chain(pool, open.bytes, piece_bytes);
  m->pkthdr.offload = open.offload;
  if (!net::complete_checksum(*m)) return {};
  return {flat(*m)};
}

}  // namespace vif::test
