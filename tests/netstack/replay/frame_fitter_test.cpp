// SPDX-License-Identifier: BSD-2-Clause
#include "netstack/replay/frame_fitter.hpp"

#include <gtest/gtest.h>

#include "tests/support/super_frames.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

class FrameFitterTest : public testing::Test {
 protected:
  std::optional<ReplayRefusal> fit(const Frame& frame, const ReplayFit& how, std::uint32_t wire_bytes = 0) {
    scratch.clear();
    wire.clear();
    const CaptureFrame record{.bytes = frame,
                              .wire_bytes = wire_bytes != 0 ? wire_bytes : static_cast<std::uint32_t>(frame.size()),
                              .link_type = link_type};
    FrameFitter fitter(how, pool);
    return fitter.fit(record, scratch, wire);
  }
  std::vector<Frame> frames() const {
    std::vector<Frame> copied;
    for (const Bytes piece : wire) copied.emplace_back(piece.begin(), piece.end());
    return copied;
  }

  MbufPool pool{kSmallPool};
  Scratch scratch;
  std::vector<Bytes> wire;
  std::uint32_t link_type = kLinkTypeEthernet;
};

Frame udp4(std::size_t payload_bytes, std::uint16_t fragment_field) {
  Frame frame = super_frame({.udp = true, .payload_bytes = payload_bytes, .gso_size = 0}).bytes;
  store_be16(frame.data() + 14 + 6, fragment_field);
  store_be16(frame.data() + 14 + 10, 0);
  store_be16(frame.data() + 14 + 10, static_cast<std::uint16_t>(~plain_sum(Bytes(frame).subspan(14, 20))));
  return frame;
}

TEST_F(FrameFitterTest, names_why_a_frame_is_not_sent) {
  EXPECT_EQ(fit(counting(13), {}), ReplayRefusal::runt);
  EXPECT_EQ(fit(counting(14), {}), std::nullopt);
  EXPECT_EQ(fit(counting(60), {}, 61), ReplayRefusal::cut_short);
  EXPECT_EQ(fit(counting(1515), {.mtu_bytes = 1500}), ReplayRefusal::too_long);
  EXPECT_EQ(fit(counting(1515), {.frame_bytes_max = 1514}), ReplayRefusal::too_long);
  link_type = 113;
  EXPECT_EQ(fit(counting(13), {}), ReplayRefusal::wrong_link_type);
  EXPECT_TRUE(wire.empty());
}

TEST_F(FrameFitterTest, passes_the_recorded_bytes_themselves) {
  const Frame frame = counting(1514);
  EXPECT_EQ(fit(frame, {.mtu_bytes = 1500}), std::nullopt);
  ASSERT_EQ(wire.size(), 1U);
  EXPECT_EQ(wire[0].data(), frame.data());
  EXPECT_EQ(wire[0].size(), frame.size());
}

TEST_F(FrameFitterTest, a_tag_may_make_a_frame_four_bytes_longer) {
  const Frame frame = tagged(ether(kOurMac, 0x88b5, counting(1500)), 5);
  EXPECT_EQ(fit(frame, {.mtu_bytes = 1500}), std::nullopt);
  EXPECT_EQ(fit(frame, {.mtu_bytes = 1499}), ReplayRefusal::too_long);
}

TEST_F(FrameFitterTest, more_bytes_than_the_file_says_the_frame_had_are_sent) {
  EXPECT_EQ(fit(counting(60), {}, 59), std::nullopt);
  EXPECT_EQ(wire[0].size(), 60U);
}

TEST_F(FrameFitterTest, truncates_to_what_fits) {
  const Frame frame = counting(3000);
  EXPECT_EQ(fit(frame, {.mtu_bytes = 1500, .oversize = ReplayOversize::truncate}), std::nullopt);
  ASSERT_EQ(wire.size(), 1U);
  EXPECT_EQ(wire[0].size(), 1514U);
}

TEST_F(FrameFitterTest, splits_tcp_into_segments_that_are_the_payload) {
  for (const bool ipv6 : {false, true}) {
    for (const std::size_t tags : {0U, 1U, 2U}) {
      SuperFrame whole = super_frame({.ipv6 = ipv6, .payload_bytes = 9001, .tags = tags});
      ASSERT_EQ(fit(whole.bytes, {.mtu_bytes = 1500, .oversize = ReplayOversize::split}), std::nullopt);
      Frame payload;
      for (const Frame& frame : frames()) {
        const WireSegment segment(frame);
        EXPECT_TRUE(segment.holds());
        EXPECT_LE(frame.size(), tags == 0 ? 1514U : 1518U);
        payload = payload + segment.payload;
      }
      EXPECT_EQ(payload, counting(9001));
    }
  }
}

TEST_F(FrameFitterTest, splits_other_ipv4_into_fragments_unless_its_sender_forbids) {
  constexpr std::uint16_t kDontFragment = 0x4000;
  const ReplayFit split{.mtu_bytes = 1500, .oversize = ReplayOversize::split};
  EXPECT_EQ(fit(udp4(4000, kDontFragment), split), ReplayRefusal::dont_fragment);
  const Frame whole = udp4(4000, 0);
  ASSERT_EQ(fit(whole, split), std::nullopt);
  Frame data;
  std::size_t left = frames().size();
  for (const Frame& frame : frames()) {
    const std::uint16_t field = load_be16(frame.data() + 14 + 6);
    EXPECT_EQ(plain_sum(Bytes(frame).subspan(14, 20)), 0xffff);
    EXPECT_EQ(load_be16(frame.data() + 14 + 2), frame.size() - 14);
    EXPECT_EQ((field & 0x1fff) * 8U, data.size());
    EXPECT_EQ((field & 0x2000) != 0, --left > 0);
    EXPECT_LE(frame.size(), 1514U);
    data.insert(data.end(), frame.begin() + 34, frame.end());
  }
  EXPECT_EQ(data, Frame(whole.begin() + 34, whole.end()));
}

TEST_F(FrameFitterTest, pieces_are_no_longer_than_what_is_sent_whole) {
  for (const std::size_t tags : {0U, 1U, 2U}) {
    for (const std::uint32_t frame_bytes_max : {1300U, 1517U, 9000U}) {
      const ReplayFit split{.frame_bytes_max = frame_bytes_max, .mtu_bytes = 1500, .oversize = ReplayOversize::split};
      const std::size_t bytes_max = std::min<std::size_t>(frame_bytes_max, tags == 0 ? 1514 : 1518);
      Frame udp = udp4(1473, 0);
      for (std::size_t tag = 0; tag < tags; ++tag) udp = tagged(udp, 5, tag == 0 ? 0x8100 : 0x88a8);
      for (const Frame& whole : {udp, super_frame({.payload_bytes = 1473, .tags = tags}).bytes}) {
        ASSERT_EQ(fit(whole, split), std::nullopt);
        EXPECT_EQ(wire.size(), 2U);
        for (const Bytes piece : wire) EXPECT_LE(piece.size(), bytes_max);
        EXPECT_GT(wire[0].size() + 8, bytes_max) << "and as long as that allows";
      }
    }
  }
}

TEST_F(FrameFitterTest, no_fragment_is_empty) {
  ASSERT_EQ(fit(udp4(2 * 1480 - 8, 0), {.mtu_bytes = 1500, .oversize = ReplayOversize::split}), std::nullopt);
  EXPECT_EQ(wire.size(), 2U);
}

TEST_F(FrameFitterTest, a_fragment_split_again_keeps_its_place) {
  ASSERT_EQ(fit(udp4(2000, 0x2000 | 100), {.mtu_bytes = 1500, .oversize = ReplayOversize::split}), std::nullopt);
  ASSERT_EQ(wire.size(), 2U);
  EXPECT_EQ(load_be16(wire[0].data() + 20), 0x2000 | 100);
  EXPECT_EQ(load_be16(wire[1].data() + 20), 0x2000 | (100 + 1480 / 8));
}

TEST_F(FrameFitterTest, refuses_to_split_what_cannot_be) {
  const ReplayFit split{.mtu_bytes = 1500, .oversize = ReplayOversize::split};
  EXPECT_EQ(fit(ether(kOurMac, 0x88b5, counting(2000)), split), ReplayRefusal::too_long);
  EXPECT_EQ(fit(super_frame({.ipv6 = true, .udp = true, .payload_bytes = 3000}).bytes, split), ReplayRefusal::too_long);
  EXPECT_EQ(fit(udp4(2000, 0x1ff0), split), ReplayRefusal::too_long);  // beyond what an offset can say
  EXPECT_EQ(fit(udp4(200, 0), {.mtu_bytes = 24, .oversize = ReplayOversize::split}), ReplayRefusal::too_long);
  Frame liar = super_frame({.payload_bytes = 3000}).bytes;
  liar[14 + 20 + 12] = std::byte{0x30};  // a TCP header of 12 bytes
  EXPECT_NE(fit(liar, split), std::nullopt);
}

}  // namespace
