// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/segmenter.hpp"

#include <gtest/gtest.h>

#include "tests/support/cut_frames.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

class SegmenterTest : public testing::Test {
 protected:
  MbufPtr packet(const SuperFrame& whole, std::size_t piece_bytes = SIZE_MAX) {
    MbufPtr m = chain(pool, whole.bytes, piece_bytes);
    m->pkthdr.offload = whole.offload;
    return m;
  }
  std::vector<Frame> cut(const SuperFrame& whole, std::size_t piece_bytes = SIZE_MAX) {
    return cut_frames(pool, whole, piece_bytes);
  }

  MbufPool pool{{.counts = {6000, 8, 4, 2}, .external = 0}};
};

std::vector<SuperFrameSpec> every_kind() {
  std::vector<SuperFrameSpec> specs;
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t tags : {0U, 1U, 2U}) {
        for (const std::size_t extra : {0U, 8U, 40U}) {
          specs.push_back({.ipv6 = ipv6, .udp = udp, .tags = tags, .extra_bytes = extra});
        }
      }
    }
  }
  return specs;
}

TEST_F(SegmenterTest, every_segment_is_a_sound_frame_and_together_they_are_the_payload) {
  for (SuperFrameSpec spec : every_kind()) {
    for (const std::size_t bytes : {1U, 1447U, 1448U, 1449U, 2897U, 60'001U}) {
      spec.payload_bytes = bytes;
      Frame payload;
      std::size_t before = 0;
      const std::vector<Frame> frames = cut(super_frame(spec));
      EXPECT_EQ(frames.size(), (bytes + 1447) / 1448);
      for (const Frame& frame : frames) {
        const WireSegment segment(frame);
        EXPECT_TRUE(segment.holds());
        EXPECT_EQ(segment.end, frame.size());
        EXPECT_EQ(segment.protocol, spec.udp ? 17 : 6);
        EXPECT_EQ(segment.id, spec.ipv6 ? 0 : static_cast<std::uint16_t>(spec.id + before / 1448));
        EXPECT_EQ(segment.udp_length, spec.udp ? segment.transport_bytes : 0);
        EXPECT_EQ(segment.sequence, spec.udp ? 0 : spec.sequence + static_cast<std::uint32_t>(before));
        before += segment.payload.size();
        payload = payload + segment.payload;
      }
      EXPECT_EQ(payload, counting(bytes));
    }
  }
}

TEST_F(SegmenterTest, how_the_super_frame_lies_in_mbufs_changes_nothing) {
  for (const SuperFrameSpec& spec : every_kind()) {
    const SuperFrame whole = super_frame(spec);
    const std::vector<Frame> frames = cut(whole);
    for (const std::size_t piece : {7U, 61U, 1447U}) EXPECT_EQ(cut(whole, piece), frames);
  }
}

// FIN and PSH speak of the end of the data, CWR of the beginning; the rest of all of it (RFC 9293, RFC 3168).
TEST_F(SegmenterTest, flags_stand_where_they_belong) {
  const std::vector<Frame> frames = cut(super_frame({.tcp_flags = 0xff}));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(WireSegment(frames[0]).flags, 0xf6);
  EXPECT_EQ(WireSegment(frames[1]).flags, 0x76);
  EXPECT_EQ(WireSegment(frames[2]).flags, 0x7f);
  for (const Frame& frame : cut(super_frame({.payload_bytes = 100, .tcp_flags = 0xff}))) {
    EXPECT_EQ(WireSegment(frame).flags, 0xff) << "of one segment all are its own";
  }
}

TEST_F(SegmenterTest, ecn_is_the_same_cut) {
  SuperFrame whole = super_frame({.tcp_flags = 0x90});
  const std::vector<Frame> frames = cut(whole);
  whole.offload.gso_type |= Offload::kGsoEcn;
  EXPECT_EQ(cut(whole), frames);
  SuperFrame udp = super_frame({.udp = true});
  udp.offload.gso_type |= Offload::kGsoEcn;
  EXPECT_TRUE(cut(udp).empty()) << "UDP has no ECN bit";
}

TEST_F(SegmenterTest, cuts_what_no_length_field_can_say) {
  for (const bool ipv6 : {false, true}) {
    SuperFrame whole = super_frame({.ipv6 = ipv6, .payload_bytes = 200'000});
    const std::vector<Frame> frames = cut(whole);
    EXPECT_EQ(frames.size(), 139U);
    for (const Frame& frame : frames) EXPECT_TRUE(WireSegment(frame).holds());
  }
}

// RFC 2675: hop-by-hop, 8 bytes, one option of type c2.
TEST_F(SegmenterTest, leaves_the_jumbo_option_out) {
  const SuperFrame plain = super_frame({.ipv6 = true, .payload_bytes = 100'000});
  SuperFrame jumbo = plain;
  const Frame option = hex("06 00 c2 04 000186c8");
  jumbo.bytes[20] = std::byte{0};
  jumbo.bytes.insert(jumbo.bytes.begin() + 54, option.begin(), option.end());
  jumbo.offload.csum_start += 8;
  ASSERT_EQ(cut(plain).size(), 70U);
  EXPECT_EQ(cut(jumbo), cut(plain));
}

TEST_F(SegmenterTest, ignores_the_hint_of_a_header_length) {
  SuperFrame whole = super_frame({});
  const std::vector<Frame> frames = cut(whole);
  for (const std::uint16_t hint : {std::uint16_t{0}, std::uint16_t{14}, std::uint16_t{0xffff}}) {
    whole.offload.hdr_len = hint;
    EXPECT_EQ(cut(whole), frames);
  }
}

TEST_F(SegmenterTest, refuses_an_offload_that_its_frame_does_not_bear_out) {
  const auto refused = [this](const SuperFrameSpec& spec, auto change) {
    SuperFrame whole = super_frame(spec);
    change(whole);
    return cut(whole).empty();
  };
  const SuperFrameSpec tcp4, tcp6{.ipv6 = true}, udp{.udp = true};
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.gso_size = 0; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.flags = 0; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.gso_type = 3; })) << "UFO: nobody makes it any more";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.gso_type = Offload::kGsoTcp6; }));
  EXPECT_TRUE(refused(tcp6, [](SuperFrame& f) { f.offload.gso_type = Offload::kGsoTcp4; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.gso_type = Offload::kGsoUdpL4; }));
  EXPECT_TRUE(refused(udp, [](SuperFrame& f) { f.offload.gso_type = Offload::kGsoTcp4; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.csum_start = 33; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.offload.csum_offset = 6; }));
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes[14] = std::byte{0x44}; })) << "a header of 16 bytes";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes[14] = std::byte{0x65}; })) << "version 6";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes[20] = std::byte{0x20}; })) << "more fragments";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes[21] = std::byte{1}; })) << "a fragment";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes.resize(f.bytes.size() - 1); })) << "shorter than IP says";
  EXPECT_TRUE(refused(tcp6, [](SuperFrame& f) { f.bytes.push_back({}); })) << "longer than IP says";
  EXPECT_TRUE(refused(tcp6, [](SuperFrame& f) { f.bytes[20] = std::byte{44}; })) << "a fragment";
  EXPECT_TRUE(refused(tcp4, [](SuperFrame& f) { f.bytes[46] = std::byte{0x40}; })) << "a TCP header of 16 bytes";
  EXPECT_TRUE(refused({.tags = 3}, [](SuperFrame&) {})) << "three tags";
  EXPECT_TRUE(refused({.ipv6 = true, .extra_bytes = 128}, [](SuperFrame&) {})) << "headers without end";
  EXPECT_TRUE(refused({.payload_bytes = 5000, .gso_size = 1}, [](SuperFrame&) {})) << "an attack on the sender";
  EXPECT_TRUE(refused({.payload_bytes = 70'000, .gso_size = 65'535}, [](SuperFrame&) {})) << "segments too long for IP";
}

TEST_F(SegmenterTest, refuses_every_frame_that_ends_within_its_headers) {
  for (const SuperFrameSpec& spec : every_kind()) {
    const SuperFrame whole = super_frame(spec);
    const std::size_t headers = whole.offload.hdr_len;
    for (std::size_t bytes = 0; bytes < headers; ++bytes) {
      SuperFrame cut_short = whole;
      cut_short.bytes.resize(bytes);
      // Whatever IP says of its length, so that it is not that which refuses it.
      if (bytes >= 20) std::fill_n(cut_short.bytes.begin() + 16 + static_cast<long>(4 * spec.tags), 2, std::byte{});
      EXPECT_TRUE(cut(cut_short).empty()) << bytes << " of " << headers;
    }
  }
}

class CompleteChecksum : public SegmenterTest {};

TEST_F(CompleteChecksum, makes_an_open_frame_sound) {
  for (SuperFrameSpec spec : every_kind()) {
    spec.gso_size = 0;
    for (const std::size_t bytes : {0U, 1U, 17U, 1400U, 60'000U}) {
      spec.payload_bytes = bytes;
      for (const std::size_t piece : {std::size_t{1500}, std::size_t{7}, SIZE_MAX}) {
        if (piece == 7 && bytes == 60'000) continue;  // more mbufs than there are
        const MbufPtr m = packet(super_frame(spec), piece);
        ASSERT_TRUE(complete_checksum(*m));
        EXPECT_TRUE(WireSegment(flat(*m)).holds());
        EXPECT_EQ(m->pkthdr.offload, Offload{});
      }
    }
  }
}

TEST_F(CompleteChecksum, has_nothing_to_do_on_a_finished_frame) {
  const SuperFrame whole = super_frame({.gso_size = 0});
  const MbufPtr m = packet({whole.bytes, {.flags = Offload::kDataValid}});
  EXPECT_TRUE(complete_checksum(*m));
  EXPECT_EQ(flat(*m), whole.bytes);
}

// RFC 768: 0 in the field says that there is no checksum.
TEST_F(CompleteChecksum, never_writes_zero) {
  const MbufPtr m = packet({hex("ffff 0000"), {.flags = Offload::kNeedsChecksum, .csum_offset = 2}});
  ASSERT_TRUE(complete_checksum(*m));
  EXPECT_EQ(flat(*m), hex("ffff ffff"));
}

TEST_F(CompleteChecksum, refuses_what_lies_outside_the_frame) {
  const SuperFrame whole = super_frame({.payload_bytes = 0, .gso_size = 0});
  const auto refused = [&](std::size_t start, std::size_t offset) {
    SuperFrame changed = whole;
    changed.offload.csum_start = static_cast<std::uint16_t>(start);
    changed.offload.csum_offset = static_cast<std::uint16_t>(offset);
    const MbufPtr m = packet(changed);
    const bool is_so = !complete_checksum(*m);
    EXPECT_EQ(flat(*m) == whole.bytes, is_so);
    return is_so;
  };
  const std::size_t bytes = whole.bytes.size();
  EXPECT_FALSE(refused(bytes - 2, 0)) << "its last two bytes";
  EXPECT_TRUE(refused(bytes - 1, 0));
  EXPECT_TRUE(refused(bytes - 4, 3));
  EXPECT_TRUE(refused(34, 0xffff));
  EXPECT_TRUE(refused(0xffff, 16));
  EXPECT_TRUE(refused(0xffff, 0xffff));
  EXPECT_FALSE(complete_checksum(*packet(super_frame({})))) << "a super-frame has many";
}

}  // namespace
