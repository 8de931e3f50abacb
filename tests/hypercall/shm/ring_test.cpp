// SPDX-License-Identifier: BSD-2-Clause
// One sender's ring and its readers, by one thread: order, overruns counted to the frame, a dead sender's successor,
// and what a ring full of nonsense can do. Several threads: shm_threads_test.cpp.
#include <gtest/gtest.h>

#include "hypercall/shm/frame_descriptor.hpp"
#include "tests/hypercall/shm/one_ring.hpp"

namespace {

using namespace vif;
using namespace vif::host::shm;
using namespace vif::test;

using Drained = OneRing::Drained;

TEST(Ring, gives_frames_whole_in_order_and_unchanged_in_however_many_slices) {
  OneRing ring;
  RingReader reader = ring.reader();
  std::vector<Frame> sent;
  for (const std::size_t slices : {1UL, 2UL, 3UL, 7UL, 60UL}) {
    for (const std::size_t bytes : {1UL, 7UL, 8UL, 9UL, 60UL, 1514UL, 9014UL, std::size_t{kFrameBytesMax}}) {
      sent.push_back(counting(bytes));
      ring.write(sent.back(), slices);
    }
  }
  EXPECT_EQ(ring.drain(reader), (Drained{sent, 0, 0}));
}

TEST(Ring, carries_offload_and_time) {
  OneRing ring;
  RingReader reader = ring.reader();
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoTcp6,
                             .hdr_len = 74,
                             .gso_size = 1428,
                             .csum_start = 54,
                             .csum_offset = 16};
  ring.write(counting(40'000), 1, offload, -5);
  const RingReader::Burst burst = reader.read(32, ring.buffer);
  ASSERT_EQ(burst.frames.size(), 1U);
  EXPECT_EQ(burst.frames[0].offload, offload);
  EXPECT_EQ(burst.frames[0].timestamp_ns, -5);
}

TEST(Ring, gives_a_reader_what_comes_after_it_began) {
  OneRing ring;
  ring.write(counting(60));
  RingReader reader = ring.reader();
  EXPECT_EQ(ring.drain(reader), Drained{});
  ring.write(counting(61));
  EXPECT_EQ(reader.waiting(), 1U);
  EXPECT_EQ(ring.drain(reader), (Drained{{counting(61)}, 0, 0}));
}

// A slow reader loses the oldest, knows how many, and goes on with the newest in order.
TEST(Ring, counts_an_overrun_to_the_frame) {
  for (const std::size_t bytes : {60UL, 1514UL, std::size_t{kFrameBytesMax}}) {
    OneRing ring;
    RingReader slow = ring.reader(), quick = ring.reader();
    const unsigned count = bytes < kFrameBytesMax ? 3 * kRingFrames : 96;
    std::uint64_t got_quickly = 0;
    for (unsigned i = 0; i < count; ++i) {
      ring.write(numbered(bytes, i));
      if (i % 16 == 15) got_quickly += ring.drain(quick).frames.size();
    }
    const Drained drained = ring.drain(slow);
    EXPECT_EQ(got_quickly, count);
    EXPECT_EQ(drained.frames.size() + drained.overrun, count);
    EXPECT_GE(drained.frames.size(), std::min<std::size_t>(kRingFrames / 2, kRingBytes / 2 / bytes));
    for (std::size_t i = 0; i < drained.frames.size(); ++i) {
      ASSERT_EQ(drained.frames[i], numbered(bytes, static_cast<unsigned>(drained.overrun + i)));
    }
  }
}

TEST(Ring, keeps_to_the_number_asked_for) {
  OneRing ring;
  RingReader reader = ring.reader();
  for (unsigned i = 0; i < 100; ++i) ring.write(numbered(60, i));
  EXPECT_EQ(reader.read(1, ring.buffer).frames.size(), 1U);
  EXPECT_EQ(reader.read(5, ring.buffer).frames.size(), 5U);
  EXPECT_EQ(reader.read(1000, ring.buffer).frames.size(), ReadBuffer::kFrames);
}

TEST(Ring, goes_round_many_times) {
  OneRing ring;
  RingReader reader = ring.reader();
  for (unsigned i = 0; i < 5 * kRingFrames; ++i) {
    const Frame frame = numbered(14 + i * 37 % 3000, i);
    ring.write(frame);
    ASSERT_EQ(ring.drain(reader), (Drained{{frame}, 0, 0})) << i;
  }
}

TEST(Ring, shows_again_what_is_still_in_it) {
  OneRing ring;
  for (unsigned i = 0; i < 2 * kRingFrames; ++i) ring.write(numbered(200, i));
  RingReader reader = ring.reader();
  reader.rewind();
  const Drained drained = ring.drain(reader);
  EXPECT_EQ(drained.overrun, 0U);
  ASSERT_GE(drained.frames.size(), kRingFrames - 64);
  EXPECT_EQ(drained.frames.back(), numbered(200, 2 * kRingFrames - 1));
}

// --- a sender that died ---

TEST(Ring, goes_on_where_a_dead_sender_stopped) {
  OneRing ring;
  RingReader reader = ring.reader();
  ring.write(numbered(60, 1));
  ring.die();
  ring.succeed();
  ring.write(numbered(60, 2));
  EXPECT_EQ(ring.drain(reader), (Drained{{numbered(60, 1), numbered(60, 2)}, 0, 0}));
}

// What the dead one was writing over is lost, though its successor has not come that far.
TEST(Ring, does_not_give_what_a_dead_sender_was_writing_over) {
  OneRing ring;
  RingReader reader = ring.reader();
  for (unsigned i = 0; i < kRingFrames; ++i) ring.write(numbered(60, i));
  ring.ring->descriptors[5].words[1].store(0);  // torn
  ring.die();
  ring.succeed();
  ring.write(numbered(60, kRingFrames));
  const Drained drained = ring.drain(reader);
  EXPECT_EQ(drained.frames.size() + drained.overrun, kRingFrames + 1);
  EXPECT_EQ(drained.frames.back(), numbered(60, kRingFrames));
  for (const Frame& frame : drained.frames) EXPECT_EQ(frame.size(), 60U);
}

TEST(Ring, loses_nothing_when_senders_come_and_go) {
  OneRing ring;
  RingReader reader = ring.reader();
  std::vector<Frame> sent;
  for (unsigned i = 0; i < 1000; ++i) {
    sent.push_back(numbered(60, i));
    ring.write(sent.back());
    ring.succeed();
  }
  EXPECT_EQ(ring.drain(reader), (Drained{sent, 0, 0}));
}

// --- nonsense ---

TEST(Ring, drops_and_counts_descriptors_that_cannot_be_and_goes_on) {
  const std::vector<std::pair<std::size_t, std::uint64_t>> kNonsense = {
      {0, 8},                                 // not on a block
      {0, kRingBytes - 16},                   // over the ring's end
      {1, 0},                                 // no bytes
      {1, kFrameBytesMax + 1},                // too many
      {1, 0xffff'ffff},                       // as many as can be said
      {1, 60 | std::uint64_t{0xffff} << 32},  // with the next: a checksum outside the frame
      {2, 2 << 8},                            // a segmentation there is not
      {2, net::Offload::kGsoTcp4 << 8},       // segments of no bytes
  };
  for (const auto& [word, value] : kNonsense) {
    OneRing ring;
    RingReader reader = ring.reader();
    for (unsigned i = 0; i < 3; ++i) ring.write(numbered(60, i));
    if (word == 1 && value >> 32 != 0) ring.ring->descriptors[1].words[2].store(net::Offload::kNeedsChecksum);
    ring.ring->descriptors[1].words[word].store(value);
    EXPECT_EQ(ring.drain(reader), (Drained{{numbered(60, 0), numbered(60, 2)}, 0, 1}))
        << word << " " << std::hex << value;
  }
}

TEST(Ring, survives_counters_of_any_value) {
  for (const std::uint64_t value : {UINT64_MAX, std::uint64_t{1} << 63, std::uint64_t{1} << 41, std::uint64_t{0}}) {
    for (Word Progress::*counter : {&Progress::published, &Progress::begun_frames, &Progress::begun_bytes}) {
      OneRing ring;
      RingReader reader = ring.reader();
      for (unsigned i = 0; i < 10; ++i) ring.write(numbered(60, i));
      ((*ring.progress).*counter).store(value);
      const Drained drained = ring.drain(reader);
      EXPECT_LE(drained.frames.size(), 10U);
      reader.rewind();
      ring.drain(reader);
      ring.die();
      ring.succeed();
      ring.write(numbered(60, 11));
      ring.drain(reader);
      ring.write(numbered(60, 12));
      EXPECT_EQ(ring.drain(reader), (Drained{{numbered(60, 12)}, 0, 0})) << "it does not recover";
    }
  }
}

}  // namespace
