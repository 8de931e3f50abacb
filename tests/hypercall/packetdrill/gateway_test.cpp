// SPDX-License-Identifier: BSD-2-Clause
// What the gateway shows packetdrill of the frames it is sent.
#include <gtest/gtest.h>

#include "hypercall/packetdrill/gateway.hpp"
#include "tests/support/frames.hpp"

namespace {

using namespace vif::host::packetdrill;
using vif::test::hex;

const Frame kUdp4 = hex("4500 001c 0001 0000 40 11 0000 c0a80002 c0a80001 0009 0007 0008 0000");

Frame framed(const char* type, const Frame& packet) {
  Frame frame = hex("027669667002 027669667001");
  for (const Frame& part : {hex(type), packet}) frame.insert(frame.end(), part.begin(), part.end());
  return frame;
}

Frame shown(const Frame& frame) {
  const vif::Bytes packet = packet_in(frame);
  return {packet.begin(), packet.end()};
}

TEST(Gateway, shows_packets_without_the_padding_of_short_frames) {
  Frame padded = framed("0800", kUdp4);
  padded.resize(60);
  EXPECT_EQ(shown(padded), kUdp4);
}

TEST(Gateway, shows_nothing_of_frames_whose_type_and_version_differ) {
  EXPECT_EQ(shown(framed("86dd", kUdp4)), Frame());
  Frame other = kUdp4;
  other[0] = std::byte{0x65};  // found by the fuzz target: six, in a frame for four
  EXPECT_EQ(shown(framed("0800", other)), Frame());
  other[0] = std::byte{0x05};
  EXPECT_EQ(shown(framed("0800", other)), Frame());
  EXPECT_EQ(shown(framed("0000", other)), Frame());
}

TEST(Gateway, shows_nothing_of_what_keeps_the_link_going) {
  Frame igmp = kUdp4;
  igmp[9] = std::byte{2};
  EXPECT_EQ(shown(framed("0800", igmp)), Frame());
  EXPECT_EQ(shown(framed("0806", kUdp4)), Frame());
  EXPECT_EQ(shown(framed("0800", {})), Frame());
}

TEST(Gateway, frames_a_packet_for_its_version_and_gives_it_back) { EXPECT_EQ(shown(to_us(kUdp4)), kUdp4); }

}  // namespace
