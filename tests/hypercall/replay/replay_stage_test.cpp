// SPDX-License-Identifier: BSD-2-Clause
// Captures as tests: what <virtif/replay.hpp> promises, with a stack that answers frames late or changed.
//
// Mutants: SendsMatcher forgets outcome.error; judge() drops the options; through() lets time pass behind the end;
// Received::at counts from the stage's beginning.
#include "hypercall/replay/replay.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "hypercall/host/instance.hpp"
#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/sim_instance.hpp"

namespace {

using namespace vif;
using namespace vif::host;
using namespace vif::test;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Sends back what it gets, after a while, with one byte set.
class LateEcho final : public net::IfInput {
 public:
  LateEcho(ReplayStage& stage, Time delay) : stage_(stage), delay_(delay) {
    stage.ifp().set_input(this);
    EXPECT_TRUE(stage.ifp().ioctl(net::SetPromisc{true}));
    EXPECT_TRUE(stage.ifp().ioctl(net::SetFlags{stage.ifp().flags() | net::IFF_UP}));
  }
  void input(net::Ifnet& ifp, net::MbufPtr packet) override {
    Frame frame = flat(*packet);
    if (changed) frame[changed->first] = std::byte{changed->second};
    stage_.after(delay_, [&ifp, frame] { EXPECT_TRUE(ifp.transmit(ifp.domain().pool().copy_in(frame))); });
  }
  std::optional<std::pair<std::size_t, std::uint8_t>> changed;

 private:
  ReplayStage& stage_;
  const Time delay_;
};

class ReplayStageTest : public testing::Test {
 protected:
  ~ReplayStageTest() override { std::filesystem::remove(path); }

  // Twenty frames, a microsecond apart.
  std::string capture() {
    sim::SimFiles files;
    auto sink = files.create_sink("a");
    net::CaptureWriter writer(**sink, net::CaptureFormat::pcapng);
    EXPECT_TRUE(writer.add_interface("", net::kLinkTypeEthernet));
    std::int64_t at = 1'000'000'000;
    for (const Frame& frame : different_frames(20)) {
      EXPECT_TRUE(writer.write({.bytes = frame,
                                .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                                .link_type = net::kLinkTypeEthernet,
                                .timestamp_ns = at += 1000,
                                .has_time = true}));
    }
    EXPECT_TRUE(writer.flush());
    const std::vector<std::byte>& bytes = files.file("a").bytes;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  static std::string explained(const SendsMatcher& matcher, const ReplayOutcome& outcome) {
    testing::StringMatchResultListener listener;
    EXPECT_FALSE(matcher.MatchAndExplain(outcome, listener.stream()));
    return listener.str();
  }

  const std::string path = testing::TempDir() + "vif-replay-stage-" + std::to_string(::getpid()) + ".pcapng";
  ReplayStage stage{kOurMac};
};

TEST_F(ReplayStageTest, what_comes_back_as_recorded_matches) {
  LateEcho echo(stage, 3ms);
  EXPECT_THAT(replay(capture()).through(stage), Sends(path));
  EXPECT_THAT(replay(path).through(stage), Sends(path, within(3ms)));
  EXPECT_THAT(replay(path).through(stage), Not(Sends(path, within(2ms))));
}

TEST_F(ReplayStageTest, what_could_only_pass_does_not) {
  LateEcho echo(stage, 3ms);
  const ReplayOutcome fast = replay(capture()).at_speed("pps=1000").through(stage);
  EXPECT_THAT(fast, Sends(path));
  EXPECT_THAT(explained(Sends(path, within(1h)), fast), HasSubstr("recorded times"));
  EXPECT_THAT(explained(Sends(path, within(1h)), replay(path).with_gaps_below(1ns).through(stage)),
              HasSubstr("recorded times"));
  EXPECT_THAT(explained(Sends(path, only("tcp"), allowing_others()), fast), HasSubstr("any replay would pass"));
  EXPECT_THAT(fast, Sends(path, only("tcp")));  // none came
  EXPECT_THAT(replay(path).sending("tcp").through(stage).error, HasSubstr("the filter selects none"));
}

TEST_F(ReplayStageTest, a_difference_is_named_and_can_be_ignored) {
  LateEcho echo(stage, 0ms);
  echo.changed = {5, 0x77};
  const ReplayOutcome outcome = replay(capture()).through(stage);
  EXPECT_THAT(outcome, Sends(path, ignoring("eth.dst")));
  EXPECT_THAT(outcome, Sends(path, ignoring("@5")));
  EXPECT_THAT(explained(Sends(path), outcome), HasSubstr("eth.dst: expected "));
  EXPECT_THAT(explained(Sends(path, ignoring("eth.dts")), outcome), HasSubstr("eth.dst"));
}

TEST_F(ReplayStageTest, what_is_not_sent_does_not_match) {
  EXPECT_THAT(replay("no-such-file.pcap").through(stage), Not(Sends(capture(), only("arp"))));
  EXPECT_THAT(replay("no-such-file.pcap").through(stage).error, HasSubstr("no-such-file.pcap"));
  EXPECT_THAT(replay(path).sending("nonsense").through(stage).error, HasSubstr("sending"));
  EXPECT_THAT(replay(path).rewriting("ttl=x").through(stage).error, HasSubstr("rewriting"));
  EXPECT_THAT(replay(path).at_speed("fast").through(stage).error, HasSubstr("at_speed"));
}

TEST_F(ReplayStageTest, over_a_link_that_cannot_be_had_says_why) {
  LinuxClock clock;
  LinuxRandom random;
  LinuxFiles files;
  const auto loop = Loop::create(clock, random, {});
  ASSERT_TRUE(loop);
  Instance instance({clock, files});
  instance.attach(**loop);
  const ReplayPlace here{instance.schemes(), clock, **loop};
  EXPECT_THAT(replay(capture()).over("nowhere:x", here).error, HasSubstr("nowhere"));
  EXPECT_THAT(replay(capture()).over("stream:fd=-1", here).error, HasSubstr("fd"));
  EXPECT_THAT(replay("/none.pcap").over("mem:lan", here).error, HasSubstr("/none.pcap"));
  const ReplayOutcome sent = replay(capture()).over("mem:lan", here);
  EXPECT_EQ(sent.error, "");
  EXPECT_GT(sent.sent, 0U);
}

TEST_F(ReplayStageTest, a_host_has_no_address_of_a_group) {
  ReplayStage odd(*net::MacAddress::parse("01:00:5e:00:00:01"));
  EXPECT_THAT(replay(capture()).through(odd).error, HasSubstr("expected a unicast address"));
}

TEST_F(ReplayStageTest, one_side_is_sent_and_the_other_expected) {
  LateEcho echo(stage, 0ms);
  const ReplayOutcome outcome = replay(capture()).sending("ether[17] < 5").through(stage);
  EXPECT_EQ(outcome.sent, 5U);
  EXPECT_THAT(outcome, Sends(path, only("ether[17] < 5")));
}

TEST_F(ReplayStageTest, takes_no_longer_than_it_takes) {
  LateEcho echo(stage, 1ms);
  (void)replay(capture(), path).listening(2ms).through(stage);
  EXPECT_EQ(stage.domain().now(), 19us + 2ms);
  const ReplayOutcome again = replay(path).listening(1500us).at_speed("x0.001").through(stage);
  ASSERT_EQ(again.received.size(), 20U);
  EXPECT_EQ(again.received[19].at, 19ms + 1ms);
}

}  // namespace
