// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/vxlan_network.hpp"

#include <gtest/gtest.h>

#include "hypercall/vxlan/vxlan_header.hpp"
#include "tests/conformance/recording_sink.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;
using Frames = std::vector<Frame>;
using host::RxTrain;
using host::UdpAddress;
using host::VxlanNetwork;

UdpAddress address(std::string_view text) { return *UdpAddress::parse(text, 4789); }
const UdpAddress kOne = address("10.0.0.2"), kTwo = address("10.0.0.3");

class Network : public testing::Test {
 protected:
  // A datagram from somebody; returns the frames in it.
  Frames from(const UdpAddress& sender, const Frame& datagram, std::size_t segment_bytes = 0) {
    RxTrain train(datagram, segment_bytes);
    std::array<drv::RxFrame, 8> frames;
    const VxlanNetwork::Taken taken = network.take(sender, train, frames, {now, 5});
    EXPECT_TRUE(train.is_empty());
    Frames all;
    for (const drv::RxFrame& frame : std::span(frames).first(taken.frames)) {
      EXPECT_EQ(frame.timestamp_ns, 5);
      all.emplace_back(frame.bytes.begin(), frame.bytes.end());
    }
    return all;
  }
  host::Remotes::Number way_to(const net::MacAddress& mac, std::size_t slices = 1) {
    const WireFrame frame{ether(mac, 0x88b5, counting(46), kOurMac)};
    return network.way_of(Sliced(frame, slices).view());
  }
  static Frame hello(const net::MacAddress& who) {
    return hex("08000000 00000700") + ether(net::kBroadcast, 0x88b5, counting(46), who);
  }

  VxlanNetwork network{7, host::Remotes({kOne, kTwo}), 1};
  Time now = 1000s;
};

TEST_F(Network, sends_to_everybody_until_somebody_was_heard) {
  EXPECT_EQ(way_to(kPeerMac), VxlanNetwork::kEvery);
  EXPECT_EQ(from(kTwo, hello(kPeerMac)).size(), 1U);
  EXPECT_EQ(way_to(kPeerMac), 1);
  EXPECT_EQ(way_to(kPeerMac, 20), 1) << "in pieces";
  EXPECT_EQ(way_to(net::kBroadcast), VxlanNetwork::kEvery);
  EXPECT_EQ(way_to(kGroupMac), VxlanNetwork::kEvery);
}

TEST_F(Network, follows_a_station_that_moves) {
  from(kTwo, hello(kPeerMac));
  from(kOne, hello(kPeerMac));
  EXPECT_EQ(way_to(kPeerMac), 0);
}

TEST_F(Network, forgets_silent_stations) {
  from(kTwo, hello(kPeerMac));
  now += 301s;
  network.forget_before(now - 300s);
  EXPECT_EQ(way_to(kPeerMac), VxlanNetwork::kEvery);
}

TEST_F(Network, has_one_way_with_one_remote) {
  network = VxlanNetwork(7, host::Remotes({kOne}), 1);
  EXPECT_EQ(way_to(kPeerMac), 0);
  EXPECT_EQ(way_to(net::kBroadcast), 0);
}

// RFC 7348, 5: the I flag must be set, the reserved bits are ignored on receipt.
TEST_F(Network, takes_frames_of_its_own_network_only) {
  const Frame frame = ether(kOurMac, 0x88b5, counting(46));
  EXPECT_EQ(from(kOne, hex("08000000 00000700") + frame), Frames{frame});
  EXPECT_EQ(from(kOne, hex("ffffffff 000007ff") + frame), Frames{frame}) << "reserved bits";
  EXPECT_TRUE(from(kOne, hex("f7ffffff 00000700") + frame).empty()) << "without the I flag";
  EXPECT_TRUE(from(kOne, hex("08000000 000007")).empty()) << "shorter than the header";
  EXPECT_TRUE(from(kOne, {}).empty());
  EXPECT_TRUE(from(kOne, hex("08000000 00000800") + frame).empty()) << "VNI 8";
  EXPECT_TRUE(from(address("10.0.0.4"), hex("08000000 00000700") + frame).empty());
  EXPECT_EQ(network.take_refused(DropReason::rx_malformed), 3U);
  EXPECT_EQ(network.take_refused(DropReason::other_network), 1U);
  EXPECT_EQ(network.take_refused(DropReason::unknown_peer), 1U);
  for (const DropReason why : VxlanNetwork::kRefusals) EXPECT_EQ(network.take_refused(why), 0U) << "asked once";
}

TEST_F(Network, learns_from_nobody_it_refuses) {
  from(address("10.0.0.4"), hello(kPeerMac));
  Frame wrong = hello(kPeerMac);
  wrong[6] = std::byte{9};
  from(kOne, wrong);
  EXPECT_EQ(way_to(kPeerMac), VxlanNetwork::kEvery);
}

TEST_F(Network, passes_frames_too_short_for_it_to_those_who_count_them) {
  EXPECT_EQ(from(kOne, hex("08000000 00000700")), Frames{Frame{}});
  EXPECT_EQ(from(kOne, hex("08000000 00000700 020000000001")).size(), 1U);
}

TEST_F(Network, takes_trains_apart_and_judges_each) {
  const Frame good = hello(kPeerMac);
  Frame bad = good;
  bad[0] = std::byte{0};
  EXPECT_EQ(from(kOne, good + bad + good + Frame(good.begin(), good.begin() + 20), good.size()).size(), 3U);
  EXPECT_EQ(network.take_refused(DropReason::rx_malformed), 1U);
}

TEST_F(Network, looks_at_no_more_datagrams_than_there_is_room) {
  const Frame bytes(100);
  RxTrain train(bytes, 1);
  std::array<drv::RxFrame, 8> frames;
  const VxlanNetwork::Taken taken = network.take(kOne, train, frames, {});
  EXPECT_EQ(taken.datagrams, 8U);
  EXPECT_EQ(taken.frames, 0U);
  EXPECT_EQ(train.datagrams(), 92U);
}

// Linux and others choose the source port by the flow inside; ours is the port we listen on.
TEST(Remotes, are_known_by_address_and_told_apart_by_port) {
  const host::Remotes remotes({address("10.0.0.3"), address("10.0.0.2:5000"), address("10.0.0.2:4000")});
  EXPECT_EQ(remotes.find(address("10.0.0.2:5000")), 1);
  EXPECT_EQ(remotes.find(address("10.0.0.2:4000")), 2);
  EXPECT_TRUE(remotes.find(address("10.0.0.2:61234")).has_value());
  EXPECT_EQ(remotes.find(address("10.0.0.3:61234")), 0);
  EXPECT_EQ(remotes.find(address("10.0.0.1")), std::nullopt);
  EXPECT_EQ(remotes.find(address("10.0.0.9")), std::nullopt);
  EXPECT_EQ(remotes.find(address("fd00::2")), std::nullopt);
}

TEST(VxlanHeader, is_what_the_rfc_draws) {
  std::array<std::byte, 8> header;
  host::store_vxlan_header(header.data(), 0xabcdef);
  EXPECT_EQ(Frame(header.begin(), header.end()), hex("08000000 abcdef00"));
  EXPECT_EQ(host::refuse_datagram(header, 0xabcdef), std::nullopt);
}

}  // namespace
