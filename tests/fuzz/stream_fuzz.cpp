// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a stream of frames, in lengths of 2 and of 4 bytes: the pieces they arrive in change nothing, what comes
// out is what a reader of the whole finds, and nothing comes behind a length that cannot be.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "hypercall/stream/frame_assembler.hpp"

namespace {

using namespace vif;
using host::FrameAssembler;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

bool same(Bytes one, Bytes other) { return std::equal(one.begin(), one.end(), other.begin(), other.end()); }

struct Expected {
  std::vector<Bytes> frames;
  bool bad = false, within = false;
};

// The whole at once, with one rule a line.
Expected read_whole(Bytes stream, std::size_t header_bytes) {
  Expected found;
  while (stream.size() >= header_bytes && !found.bad) {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < header_bytes; ++i) length = length << 8 | std::to_integer<std::uint32_t>(stream[i]);
    found.bad = length == 0 || length > FrameAssembler::kFrameBytesMax;
    if (found.bad || stream.size() - header_bytes < length) break;
    found.frames.push_back(stream.subspan(header_bytes, length));
    stream = stream.subspan(header_bytes + length);
  }
  found.within = !stream.empty();
  return found;
}

void check(Bytes stream, std::size_t header_bytes, std::size_t piece_bytes, std::size_t burst) {
  const Expected expected = read_whole(stream, header_bytes);
  FrameAssembler in(header_bytes);
  std::array<drv::RxFrame, 8> taken;
  std::size_t seen = 0;
  while (!stream.empty() && !in.bad_length()) {
    const MutBytes room = in.room();
    const std::size_t n = std::min({piece_bytes, stream.size(), room.size()});
    std::copy_n(stream.begin(), n, room.begin());
    in.filled(n, 1);
    stream = stream.subspan(n);
    for (std::size_t got = 1; got > 0; seen += got) {
      got = in.take(std::span(taken).first(burst));
      require(seen + got <= expected.frames.size());
      for (std::size_t i = 0; i < got; ++i) require(same(taken[i].bytes, expected.frames[seen + i]));
    }
  }
  require(seen == expected.frames.size());
  require(in.bad_length().has_value() == expected.bad);
  require(in.within_frame() == expected.within);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes stream = std::as_bytes(std::span(data, size));
  for (const std::size_t header_bytes : {2UL, 4UL}) {
    check(stream, header_bytes, SIZE_MAX, 8);
    check(stream, header_bytes, size == 0 ? 1 : data[size / 2] | 1UL, 1);
  }
  return 0;
}
