// SPDX-License-Identifier: BSD-2-Clause
// Frames in and out through libpcap, on a real veth pair: filtered, stamped, counted, and the host's changes followed.
#include "hypercall/pcapdev/pcapdev_link.hpp"

#include "tests/hypercall/uring/uring_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using net::LinkState;

class Pcapdev : public UringRig {
 protected:
  Result<drv::OpenLink> try_open(const std::string& linkstr) override {
    return host::open_pcapdev_link(*drv::Linkstr::parse(linkstr), owner, *watch);
  }
  bool state_becomes(const std::string& words, LinkState state) {
    network.ip(words);
    return drain_until([&] { return !sink.states.empty() && sink.states.back() == state; });
  }
};

TEST_F(Pcapdev, delivers_whole_frames_in_order_stamped_to_the_nanosecond) {
  start("pcapdev:vifa");
  EXPECT_NE(link.link.chosen.find("nanoseconds"), std::string::npos) << link.link.chosen;
  WireFrames frames;
  for (unsigned i = 0; i < 100; ++i) frames.push_back({ether(kOurMac, 0x88b5, counting(46 + i * 14))});
  frames.push_back({tagged(ether(kOurMac, 0x88b5, counting(1500)), 7)});
  for (const WireFrame& frame : frames) arrive(frame);
  ASSERT_TRUE(drain_until_frames(frames.size()));
  EXPECT_EQ(sink.frames, frames);
  std::int64_t before = 0, below_us = 0;
  for (const std::int64_t at : sink.timestamps_ns) {
    EXPECT_GE(at, before);
    before = at;
    below_us += at % 1000;
  }
  EXPECT_NE(below_us, 0);
}

TEST_F(Pcapdev, filters_as_it_is_told) {
  start("pcapdev:vifa,filter=ether proto 0x88b5 and greater 100");
  arrive(ether(kOurMac, 0x88b5, counting(46)));
  arrive(ether(kOurMac, 0x88b6, counting(200)));
  arrive(ether(kOurMac, 0x88b5, counting(200)));
  ASSERT_TRUE(drain_until_frames(1));
  EXPECT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.frames[0].bytes.size(), 214U);
}

// The kernel takes a tag out before its filter runs.
TEST_F(Pcapdev, filters_by_tags) {
  for (const char* filter : {"vlan", "vlan 5", "vlan 5 and ether proto 0x88b5", "not vlan"}) {
    const bool tags = std::string(filter) != "not vlan";
    sink.frames.clear();
    start(std::string("pcapdev:vifa,filter=") + filter);
    const WireFrame plain{ether(kOurMac, 0x88b5, counting(100))};
    const WireFrame five{tagged(ether(kOurMac, 0x88b5, counting(200)), 5)};
    arrive(tags ? plain : five);
    arrive(tags ? five : plain);
    ASSERT_TRUE(drain_until_frames(1)) << filter;
    EXPECT_EQ(sink.frames, WireFrames{tags ? five : plain}) << filter;
    link.stop();
  }
}

TEST_F(Pcapdev, refuses_filters_that_do_not_compile_or_ask_the_host) {
  for (const char* filter : {"ether proto", "host example.org", "inbound"}) {
    const auto refused = try_open(std::string("pcapdev:vifa,filter=") + filter);
    ASSERT_FALSE(refused) << filter;
    EXPECT_EQ(refused.error().number(), EINVAL) << filter;
    EXPECT_NE(refused.error().text.find("filter"), std::string::npos) << refused.error().text;
  }
}

TEST_F(Pcapdev, hears_neither_itself_nor_the_host) {
  start("pcapdev:vifa");
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(46))).taken, 1U);
  EXPECT_TRUE(PacketSocket("vifa").send({ether(kPeerMac, 0x88b5, counting(46))}));
  arrive(ether(kOurMac, 0x88b5, counting(99)));
  ASSERT_TRUE(drain_until_frames(1));
  EXPECT_EQ(sink.frames.size(), 1U);
}

TEST_F(Pcapdev, counts_what_overruns) {
  start("pcapdev:vifa");
  const std::uint64_t sent = 40'000;
  for (std::uint64_t i = 0; i < sent; ++i) arrive(ether(kOurMac, 0x88b5, counting(1000)));
  ASSERT_TRUE(drain_until([&] { return sink.frames.size() + sink.lost(DropReason::rx_overrun) >= sent; }));
  EXPECT_EQ(sink.frames.size() + sink.lost(DropReason::rx_overrun), sent);
  EXPECT_GT(sink.lost(DropReason::rx_overrun), 0U) << "or this has tested nothing";
}

TEST_F(Pcapdev, hears_nothing_from_before_it_started) {
  start("pcapdev:vifa");
  link.stop();
  for (int i = 0; i < 50; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
  ASSERT_TRUE(link.start());
  arrive(ether(kOurMac, 0x88b5, counting(60)));
  ASSERT_TRUE(drain_until_frames(1));
  EXPECT_EQ(sink.frames.back().bytes.size(), 74U);
}

TEST_F(Pcapdev, goes_down_and_comes_back_with_its_interface) {
  start("pcapdev:vifa");
  ASSERT_TRUE(state_becomes("link set vifa down", LinkState::down));
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(46))).status, drv::SendStatus::network_down);
  ASSERT_TRUE(state_becomes("link set vifa up", LinkState::up));
  // The peer's own queue drops some while its carrier is coming back.
  ASSERT_TRUE(drain_until([&] {
    if (sink.frames.empty()) arrive(ether(kOurMac, 0x88b5, counting(50)));
    return !sink.frames.empty();
  }));
  ASSERT_TRUE(state_becomes("link del vifa", LinkState::down));
  EXPECT_EQ(sink.why->number(), ENODEV);
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(46))).status, drv::SendStatus::network_down);
  link.stop();
  EXPECT_TRUE(link.start());
}

TEST_F(Pcapdev, says_what_is_the_matter_with_a_frame_not_taken) {
  start("pcapdev:vifa");
  EXPECT_EQ(link.send(WireFrames{{ether(kPeerMac, 0x88b5, counting(1500))}, {ether(kPeerMac, 0x88b5, counting(1501))}})
                .status,
            drv::SendStatus::message_size);
  EXPECT_EQ(peer->receive_all().size(), 1U);
}

TEST_F(Pcapdev, refuses_what_is_no_wire) {
  EXPECT_EQ(try_open("pcapdev:vifnone").error().number(), ENODEV);
  EXPECT_EQ(try_open("pcapdev:lo").error().number(), ENOTSUP);
}

}  // namespace
