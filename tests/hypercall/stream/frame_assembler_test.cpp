// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/stream/frame_assembler.hpp"

#include <gtest/gtest.h>

#include "tests/support/frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::FrameAssembler;

Frame lengthed(const Frame& frame, std::size_t header_bytes) {
  Frame length(4);
  store_be32(length.data(), static_cast<std::uint32_t>(frame.size()));
  length.erase(length.begin(), length.end() - static_cast<std::ptrdiff_t>(header_bytes));
  return length + frame;
}

// Feeds `stream` in pieces and returns what comes out.
std::vector<Frame> assemble(FrameAssembler& in, Bytes stream, std::size_t piece_bytes, std::size_t burst = 8) {
  std::vector<Frame> frames;
  std::vector<drv::RxFrame> taken(burst);
  while (!stream.empty() && !in.bad_length()) {
    const MutBytes room = in.room();
    const std::size_t n = std::min({piece_bytes, stream.size(), room.size()});
    std::copy_n(stream.begin(), n, room.begin());
    in.filled(n, 7);
    stream = stream.subspan(n);
    for (std::size_t got = in.take(taken); got > 0; got = in.take(taken)) {
      for (const drv::RxFrame& frame : std::span(taken).first(got)) {
        EXPECT_EQ(frame.timestamp_ns, 7);
        EXPECT_EQ(frame.wire_bytes, 0U);
        frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
      }
    }
  }
  return frames;
}

class FrameAssemblerHeader : public testing::TestWithParam<std::size_t> {};

TEST_P(FrameAssemblerHeader, finds_the_same_frames_whatever_the_pieces) {
  const std::size_t largest = GetParam() == 4 ? FrameAssembler::kFrameBytesMax : 65'535;
  std::vector<Frame> frames;
  for (const std::size_t bytes : {1UL, 13UL, 60UL, 1514UL, 9014UL, largest, 1UL, largest, 60UL}) {
    frames.push_back(counting(bytes));
    frames.back()[0] = static_cast<std::byte>(frames.size());
  }
  Frame stream;
  for (const Frame& frame : frames) stream = stream + lengthed(frame, GetParam());
  for (const std::size_t piece_bytes : {1UL, 2UL, 3UL, 5UL, 64UL, 1021UL, 65'536UL}) {
    for (const std::size_t burst : {1UL, 2UL, 64UL}) {
      FrameAssembler in(GetParam());
      EXPECT_TRUE(assemble(in, stream, piece_bytes, burst) == frames) << piece_bytes << " at a time";
      EXPECT_FALSE(in.within_frame());
      EXPECT_FALSE(in.bad_length());
    }
  }
}

TEST_P(FrameAssemblerHeader, knows_when_it_is_within_a_frame) {
  const Frame frame = lengthed(counting(100), GetParam());
  for (std::size_t have = 0; have <= frame.size(); ++have) {
    FrameAssembler in(GetParam());
    EXPECT_EQ(assemble(in, Bytes(frame).first(have), 1000).size(), have == frame.size() ? 1U : 0U);
    EXPECT_EQ(in.within_frame(), have > 0 && have < frame.size()) << have;
  }
}

TEST_P(FrameAssemblerHeader, passes_what_comes_before_a_length_that_cannot_be_and_nothing_behind) {
  const Frame good = lengthed(counting(60), GetParam());
  FrameAssembler in(GetParam());
  EXPECT_EQ(assemble(in, good + good + lengthed({}, GetParam()) + good, 1000).size(), 2U);
  EXPECT_EQ(in.bad_length(), 0U);
  EXPECT_TRUE(in.within_frame());
  drv::RxFrame none[1];
  EXPECT_EQ(in.take(none), 0U);
  in.clear();
  EXPECT_FALSE(in.within_frame());
  EXPECT_EQ(assemble(in, good, 1000).size(), 1U) << "of another stream";
}

INSTANTIATE_TEST_SUITE_P(Bytes, FrameAssemblerHeader, testing::Values(2, 4),
                         [](const auto& bytes) { return std::to_string(bytes.param); });

// As soon as the length is whole: nobody waits for four gigabytes.
TEST(FrameAssembler, refuses_a_length_above_the_largest_at_once) {
  for (const std::uint32_t length : {FrameAssembler::kFrameBytesMax + 1, 0x80000000U, UINT32_MAX}) {
    Frame header(4);
    store_be32(header.data(), length);
    FrameAssembler in(4);
    EXPECT_TRUE(assemble(in, Bytes(header).first(3), 1000).empty());
    EXPECT_FALSE(in.bad_length());
    EXPECT_TRUE(assemble(in, Bytes(header).subspan(3), 1000).empty());
    EXPECT_EQ(in.bad_length(), length);
  }
}

}  // namespace
