// SPDX-License-Identifier: BSD-2-Clause
// How a replay on a link ends, and what it says of that.
#include "hypercall/replay/link_replay.hpp"
#include "hypercall/sim/sim_link.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::host;
using namespace vif::test;
using namespace std::chrono_literals;

class LinkEndTest : public SimInstance {
 protected:
  LinkReplay& start(LinkReplayRequest request) {
    request.captures = {"a.pcap"};
    request.linkstr = "sim:w";
    replay.reset();  // of its wire, too
    auto opened = LinkReplay::open(request, files, {wires, host.clock, domain});
    EXPECT_TRUE(opened) << opened.error().text;
    replay = std::move(*opened);
    host.settle();
    replay->start();
    return *replay;
  }
  void goes_at(Time at) {
    host.at(at, [this] { wire.carrier(net::LinkState::down, fail(EPIPE, "the peer closed the socket")); });
  }

  sim::SimWires wires;
  sim::SimWire& wire = wires.wire("w");
  std::unique_ptr<LinkReplay> replay;
};

TEST_F(LinkEndTest, a_link_that_goes_while_it_is_listened_to_ends_it_with_an_error) {
  capture("a.pcap", different_frames(3));
  start({.linger = 10s});
  goes_at(1s);
  host.run_until(1100ms);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.error, "sim:w is down: the peer closed the socket");
  EXPECT_FALSE(report.early) << "all was sent";
}

TEST_F(LinkEndTest, a_link_that_goes_while_frames_are_left_ends_it_at_once) {
  capture("a.pcap", different_frames(1000));
  start({.plan = {.passes = net::ReplayPlan::kForever}, .linger = 10s});
  goes_at(500us);
  host.run_until(1ms);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_FALSE(report.error.empty());
  EXPECT_TRUE(report.early);
}

TEST_F(LinkEndTest, a_link_may_go_when_nothing_is_waited_for_any_more) {
  capture("a.pcap", different_frames(3));
  for (const bool has_all : {true, false}) {
    start({.linger = has_all ? 10s : 0s});
    const Time begun = host.clock.now();
    if (has_all) replay->satisfied(0s);
    goes_at(begun + 100ms);
    host.run_until(begun + 110ms);
    EXPECT_TRUE(replay->ended());
    EXPECT_TRUE(replay->finish().error.empty());
    wire.carrier(net::LinkState::up);
  }
}

TEST_F(LinkEndTest, what_was_waited_for_has_come_and_it_listens_as_long_as_was_asked) {
  capture("a.pcap", different_frames(3));
  LinkReplay& running = start({.linger = 10s});
  host.run_until(1s);
  running.satisfied(2s);
  host.run_until(2900ms);
  EXPECT_FALSE(running.ended());
  host.run_until(3s);
  EXPECT_TRUE(running.ended());
  LinkReplay& again = start({.linger = 10s});
  again.satisfied(0s);
  host.run_until(3s + LinkReplay::kSettle - 1ms);
  EXPECT_FALSE(again.ended());
  host.run_until(3s + LinkReplay::kSettle + 1ms);
  EXPECT_TRUE(again.ended());
}

TEST_F(LinkEndTest, one_that_a_full_link_delays_beyond_its_duration_fails) {
  capture("a.pcap", different_frames(3));
  wire.send_answers = {{1, drv::SendStatus::ok}, {0, drv::SendStatus::would_block}};
  start({.plan = {.duration = 1s}});
  host.run_until(2s);
  EXPECT_TRUE(replay->ended());
  const LinkReplayReport report = replay->finish();
  EXPECT_EQ(report.totals.sent, 1U);
  EXPECT_TRUE(report.early);
  EXPECT_NE(report.error.find("did not take it in time"), std::string::npos) << report.error;
}

TEST_F(LinkEndTest, a_link_that_has_no_carrier_says_why) {
  capture("a.pcap", different_frames(3));
  wire.caps.link_state = net::LinkState::down;
  start({.carrier_wait = 2s});
  wire.carrier(net::LinkState::down, fail(ENETDOWN, "w0 is down on this host"));
  host.run_until(3s);
  const std::string error = replay->finish().error;
  EXPECT_NE(error.find("within 2 s; w0 is down on this host"), std::string::npos) << error;
}

}  // namespace
