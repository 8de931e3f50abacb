// SPDX-License-Identifier: BSD-2-Clause
// What is seen in a frame of what its sender left to do, against frames of which that is known.
#include "hypercall/vxlan/work_left.hpp"

#include <gtest/gtest.h>

#include "netstack/checksum.hpp"
#include "tests/support/super_frames.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::work_left;

constexpr std::uint32_t kMtu = 1450;
constexpr host::SegmentsWanted kWanted{kMtu, 0};

std::vector<SuperFrameSpec> shapes(std::size_t payload_bytes, std::uint16_t gso_size) {
  std::vector<SuperFrameSpec> all;
  for (const bool ipv6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t tags : {0U, 1U, 2U}) {
        all.push_back({.ipv6 = ipv6, .udp = udp, .payload_bytes = payload_bytes, .gso_size = gso_size, .tags = tags});
      }
    }
  }
  return all;
}

Frame finished(const SuperFrame& frame) {
  net::MbufPool pool(kSmallPool);
  net::MbufPtr packet = pool.copy_in(frame.bytes);
  packet->pkthdr.offload = frame.offload;
  EXPECT_TRUE(net::complete_checksum(*packet));
  return flat(*packet);
}

TEST(WorkLeft, sees_an_open_checksum) {
  for (const SuperFrameSpec& spec : shapes(999, 0)) {
    const SuperFrame open = super_frame(spec);
    const net::Offload left = work_left(open.bytes, kWanted);
    EXPECT_EQ(left.flags, open.offload.flags);
    EXPECT_EQ(left.gso_type, net::Offload::kGsoNone);
    EXPECT_EQ(left.csum_start, open.offload.csum_start);
    EXPECT_EQ(left.csum_offset, open.offload.csum_offset);
    EXPECT_EQ(work_left(finished(open), kWanted), net::Offload{});
  }
}

TEST(WorkLeft, sees_super_frames_of_tcp_and_gives_segments_that_fit) {
  for (const SuperFrameSpec& spec : shapes(30'000, 1300)) {
    const SuperFrame super = super_frame(spec);
    const net::Offload left = work_left(super.bytes, kWanted);
    if (spec.udp) {
      EXPECT_EQ(left.gso_type, net::Offload::kGsoNone) << "nobody knows where to cut it";
      const net::Offload said = work_left(super.bytes, {kMtu, 1300});
      EXPECT_EQ(said.gso_type, net::Offload::kGsoUdpL4);
      EXPECT_EQ(said.gso_size, 1300);
      EXPECT_EQ(said.hdr_len, super.offload.hdr_len);
      continue;
    }
    EXPECT_EQ(left.gso_type, super.offload.gso_type);
    EXPECT_EQ(left.hdr_len, super.offload.hdr_len);
    EXPECT_EQ(left.gso_size + left.hdr_len - 14U - 4 * spec.tags, kMtu);
  }
  EXPECT_EQ(work_left(super_frame({.payload_bytes = 3000, .tcp_flags = 0x98}).bytes, kWanted).gso_type,
            net::Offload::kGsoTcp4 | net::Offload::kGsoEcn);
}

// A checksum that is finished and happens to look open: it comes out as it is.
TEST(WorkLeft, finishing_what_only_looks_open_changes_nothing) {
  int chances = 0;
  for (std::uint32_t sequence = 0; sequence < 0x1'0000; ++sequence) {
    const SuperFrame open = super_frame({.payload_bytes = 10, .gso_size = 0, .sequence = sequence});
    const Frame right = finished(open);
    const net::Offload left = work_left(right, kWanted);
    if (!left.is_pending()) continue;
    ++chances;
    EXPECT_EQ(finished({right, left}), right);
  }
  EXPECT_GE(chances, 1);
}

// As against two that came in one train.
TEST(WorkLeft, knows_one_packet_when_it_sees_one) {
  const Frame one = super_frame({.payload_bytes = 1000}).bytes;
  EXPECT_TRUE(host::is_one_packet(one));
  EXPECT_FALSE(host::is_one_packet(one + hex("08000000 00000700") + one));
  EXPECT_FALSE(host::is_one_packet(ether(kOurMac, 0x88b5, counting(100))));
}

TEST(WorkLeft, leaves_alone_what_it_cannot_read) {
  const Frame whole = super_frame({.payload_bytes = 100, .gso_size = 0}).bytes;
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_EQ(work_left(Bytes(whole).first(bytes), kWanted), net::Offload{}) << bytes;
  }
  EXPECT_EQ(work_left(whole + Frame(4), kWanted), net::Offload{}) << "padded: it has been on a wire";
  Frame fragment = whole;
  fragment[14 + 6] = std::byte{0x20};
  EXPECT_EQ(work_left(fragment, kWanted), net::Offload{});
  Frame other = whole;
  other[14 + 9] = std::byte{47};
  EXPECT_EQ(work_left(other, kWanted), net::Offload{});
  EXPECT_EQ(work_left(super_frame({.payload_bytes = 3000}).bytes, {40, 0}).gso_type, net::Offload::kGsoNone)
      << "no room for a segment";
}

}  // namespace
