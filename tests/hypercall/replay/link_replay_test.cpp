// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/replay/link_replay.hpp"

#include "hypercall/host/bridge.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "netstack/inet/packet.hpp"
#include "tests/hypercall/sim_instance.hpp"
#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::host;
using namespace vif::test;
using namespace std::chrono_literals;

class LinkReplayTest : public SimInstance {
 protected:
  std::unique_ptr<LinkReplay> open(const LinkReplayRequest& request, drv::LinkOpener& opener) {
    auto opened = LinkReplay::open(request, files, {opener, host.clock, domain});
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }
  std::unique_ptr<LinkReplay> start_on_wire(LinkReplayRequest request) {
    request.linkstr = "sim:w";
    auto replay = open(request, wires);
    replay->on_received = [this](net::ReplaySide, Bytes frame, Bytes) {
      heard.emplace_back(frame.begin(), frame.end());
    };
    host.settle();
    replay->start();
    return replay;
  }

  sim::SimWires wires;
  sim::SimWire& wire = wires.wire("w");
  std::vector<Frame> heard;
};

TEST_F(LinkReplayTest, reaches_an_interface_on_a_segment_and_hears_what_it_answers) {
  const std::vector<Frame> frames = different_frames(300);
  capture("a.pcap", frames);
  struct Echo final : net::IfInput {
    void input(net::Ifnet& ifp, net::MbufPtr packet) override {
      ++packets;
      (void)ifp.transmit(std::move(packet));
    }
    std::size_t packets = 0;
  } echo;
  running("mem:lan").set_input(&echo);
  const auto replay = open({.captures = {"a.pcap"}, .linkstr = "mem:lan", .linger = 1ms}, instance.schemes());
  replay->on_received = [this](net::ReplaySide, Bytes frame, Bytes) { heard.emplace_back(frame.begin(), frame.end()); };
  replay->start();
  host.run_until(1s);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.totals.sent, 300U);
  EXPECT_EQ(echo.packets, 300U);
  EXPECT_EQ(heard, frames);
  EXPECT_EQ(report.sending, 299us);
}

TEST_F(LinkReplayTest, waits_for_the_carrier_and_then_keeps_the_recorded_times) {
  capture("a.pcap", different_frames(3));
  wire.caps.link_state = net::LinkState::down;
  const auto replay = start_on_wire({.captures = {"a.pcap"}});
  host.run_until(5s);
  EXPECT_TRUE(wire.sent.empty());
  wire.carrier(net::LinkState::up);
  host.run_until(6s);
  EXPECT_EQ(wire.sent.size(), 3U);
  const LinkReplayReport report = replay->finish();
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.totals.late_max, 0ns);
}

TEST_F(LinkReplayTest, frames_that_come_before_the_start_are_counted_and_not_looked_at) {
  capture("a.pcap", different_frames(3));
  wire.caps.link_state = net::LinkState::down;
  const auto replay = start_on_wire({.captures = {"a.pcap"}, .linger = 1s});
  host.run_until(5s);
  EXPECT_EQ(replay->since_start(), 0s);
  wire.arrive(counting(60));
  host.run_until(6s);
  wire.carrier(net::LinkState::up);
  host.at(6s + 10ms, [this] { wire.arrive(counting(70)); });
  host.run_until(6s + 20ms);
  EXPECT_EQ(replay->since_start(), 20ms);
  host.run_until(8s);
  EXPECT_EQ(heard, std::vector<Frame>{counting(70)});
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.received, 1U);
  EXPECT_EQ(report.received_before, 1U);
  EXPECT_EQ(report.links.front().received, 1U);
}

TEST_F(LinkReplayTest, gives_up_when_no_carrier_comes_and_says_so) {
  capture("a.pcap", different_frames(3));
  wire.caps.link_state = net::LinkState::down;
  const auto replay = start_on_wire({.captures = {"a.pcap"}, .carrier_wait = 2s});
  host.run_until(3s);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.totals.passes, 0U);
  EXPECT_NE(report.error.find("within 2 s"), std::string::npos) << report.error;
}

TEST_F(LinkReplayTest, ends_when_the_other_end_goes_for_good_and_reports_what_was_sent) {
  capture("a.pcap", different_frames(1000));
  const auto replay = start_on_wire({.captures = {"a.pcap"}, .plan = {.passes = net::ReplayPlan::kForever}});
  host.run_until(500us);
  wire.carrier(net::LinkState::down, fail(EPIPE, "the peer closed the socket"));
  host.run_until(1s);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.totals.sent, wire.sent.size());
  EXPECT_NE(report.error.find("the peer closed the socket"), std::string::npos);
}

TEST_F(LinkReplayTest, a_carrier_that_goes_and_comes_back_costs_the_frames_in_between) {
  capture("a.pcap", different_frames(1000));
  const auto replay = start_on_wire({.captures = {"a.pcap"}});
  host.at(300us, [this] { wire.carrier(net::LinkState::down); });
  host.at(600us, [this] { wire.carrier(net::LinkState::up); });
  host.run_until(1s);
  const LinkReplayReport report = replay->finish();
  EXPECT_TRUE(report.error.empty());
  EXPECT_EQ(report.totals.failed, 300U);
  EXPECT_EQ(report.totals.sent, 700U);
}

TEST_F(LinkReplayTest, pads_for_a_wire_that_wants_it_and_goes_on_when_it_has_room) {
  capture("a.pcap", {ether(kOurMac, 0x88b5, counting(10)), ether(kOurMac, 0x88b5, counting(100))});
  wire.caps.frame_bytes_min = 60;
  wire.send_answers = {{0, drv::SendStatus::would_block}};
  const auto replay = start_on_wire({.captures = {"a.pcap"}});
  host.run_until(1ms);
  EXPECT_TRUE(wire.sent.empty());
  wire.writable();
  host.run_until(2ms);
  ASSERT_EQ(wire.sent.size(), 2U);
  EXPECT_EQ(wire.sent[0], ether(kOurMac, 0x88b5, counting(10) + Frame(36)));
  EXPECT_TRUE(replay->finish().complete());
}

TEST_F(LinkReplayTest, what_the_backend_loses_later_is_not_sent) {
  capture("a.pcap", different_frames(5));
  const auto replay = start_on_wire({.captures = {"a.pcap"}, .linger = 1s});
  host.at(10ms, [this] { wire.lose(DropReason::tx_error, 2); });
  host.run_until(2s);
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.lost, 2U);
  EXPECT_FALSE(report.complete());
}

TEST_F(LinkReplayTest, hears_frames_as_on_the_wire_whatever_work_was_left_to_it) {
  capture("a.pcap", different_frames(1));
  const auto replay = start_on_wire({.captures = {"a.pcap"}, .linger = 1s});
  const SuperFrame whole = super_frame({.payload_bytes = 4000}),
                   open_sum = super_frame({.payload_bytes = 100, .gso_size = 0});
  host.at(1ms, [&] {
    wire.arrive(whole.bytes, whole.offload);
    wire.arrive(open_sum.bytes, open_sum.offload);
    wire.arrive(counting(60), whole.offload);  // its headers do not bear that out
  });
  host.run_until(2s);
  ASSERT_EQ(heard.size(), 3U + 1U);
  for (const Frame& frame : heard) EXPECT_TRUE(WireSegment(frame).holds());
  EXPECT_EQ(replay->finish().unreadable, 1U);
}

// A request and its answer, so many times, as between 10.86.0.1 and 10.86.0.2.
std::vector<Frame> talk(std::size_t times) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < times; ++i) {
    Frame request = udp_packet(counting(20 + i % 30));
    std::fill_n(request.begin() + 6, 6, std::byte{0x02});
    Frame answer = request;
    std::swap_ranges(answer.begin(), answer.begin() + 6, answer.begin() + 6);
    std::swap_ranges(answer.begin() + 26, answer.begin() + 30, answer.begin() + 30);
    std::swap_ranges(answer.begin() + 34, answer.begin() + 36, answer.begin() + 36);
    frames.push_back(std::move(request));
    frames.push_back(std::move(answer));
  }
  return frames;
}

std::vector<Frame> every_other(const std::vector<Frame>& frames, std::size_t first) {
  std::vector<Frame> picked;
  for (std::size_t i = first; i < frames.size(); i += 2) picked.push_back(frames[i]);
  return picked;
}

class SplitReplayTest : public LinkReplayTest {
 protected:
  std::unique_ptr<LinkReplay> open_split(const std::string& clients, const std::string& servers,
                                         drv::LinkOpener& opener) {
    LinkReplayRequest request{.captures = {"talk.pcap"}, .linkstr = clients, .linger = 10ms};
    request.split = {*net::FrameSplitter::parse("first"), servers};
    auto replay = open(request, opener);
    replay->on_received = [this](net::ReplaySide at, Bytes frame, Bytes) {
      if (load_be16(frame.data() + 12) == net::inet::kEtherTypeIp4)
        heard_at[net::index_of(at)].emplace_back(frame.begin(), frame.end());
    };
    return replay;
  }

  std::array<std::vector<Frame>, net::kReplaySides> heard_at;
};

TEST_F(SplitReplayTest, what_one_side_sends_comes_through_a_bridge_to_the_other) {
  const std::vector<Frame> frames = talk(100);
  capture("talk.pcap", frames);
  const BridgeRequest request{{{"mem:a", {}, {}}, {"mem:b", {}, {}}}, {}};
  const auto bridge = BridgedLinks::open(request, domain, interfaces);
  ASSERT_TRUE(bridge) << bridge.error().text;
  const auto replay = open_split("mem:a", "mem:b", instance.schemes());
  host.settle();
  replay->start();
  host.run_until(1s);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_TRUE(report.complete());
  EXPECT_TRUE(heard_at[1] == every_other(frames, 0));  // what clients sent, at the servers' link
  EXPECT_TRUE(heard_at[0] == every_other(frames, 1));
  ASSERT_EQ(report.links.size(), 2U);
  for (const LinkReplayReport::Link& link : report.links) {
    EXPECT_EQ(link.sent_frames, 100U);
    EXPECT_EQ(link.received, 100U);
  }
  EXPECT_EQ(report.received_before, 2U);  // the bridge asks after itself, too
  EXPECT_EQ(report.links[1].linkstr, "mem:b");
  EXPECT_EQ(report.sending, 199us);
}

TEST_F(SplitReplayTest, begins_when_both_links_have_a_carrier) {
  capture("talk.pcap", talk(3));
  sim::SimWire& other = wires.wire("v");
  wire.caps.link_state = other.caps.link_state = net::LinkState::down;
  const auto replay = open_split("sim:w", "sim:v", wires);
  host.settle();
  replay->start();
  wire.carrier(net::LinkState::up);
  host.run_until(1s);
  EXPECT_TRUE(wire.sent.empty());
  other.carrier(net::LinkState::up);
  host.run_until(2s);
  EXPECT_EQ(wire.sent, every_other(talk(3), 0));
  EXPECT_EQ(other.sent, every_other(talk(3), 1));
  EXPECT_TRUE(replay->finish().complete());
}

TEST_F(SplitReplayTest, names_the_link_that_has_no_carrier_or_goes) {
  capture("talk.pcap", talk(3));
  sim::SimWire& other = wires.wire("v");
  other.caps.link_state = net::LinkState::down;
  const auto waits = open_split("sim:w", "sim:v", wires);
  host.settle();
  waits->start();
  host.run_until(20s);
  EXPECT_EQ(waits->finish().error.rfind("sim:v has no carrier", 0), 0U);
}

TEST_F(SplitReplayTest, a_full_link_delays_both_and_a_missing_one_costs_its_frames_only) {
  capture("talk.pcap", talk(3));
  sim::SimWire& other = wires.wire("v");
  wire.send_answers = {{1, drv::SendStatus::ok}, {0, drv::SendStatus::would_block}};
  const auto replay = open_split("sim:w", "sim:v", wires);
  host.settle();
  replay->start();
  host.run_until(1ms);
  EXPECT_EQ(wire.sent.size(), 1U);
  EXPECT_EQ(other.sent.size(), 1U);
  other.carrier(net::LinkState::down);
  wire.writable();
  host.run_until(2ms);
  EXPECT_EQ(wire.sent.size(), 3U);
  EXPECT_EQ(other.sent.size(), 1U);
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.totals.failed, 2U);
  EXPECT_EQ(report.totals.sent, 4U);
}

}  // namespace
