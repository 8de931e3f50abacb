// SPDX-License-Identifier: BSD-2-Clause
// A pipe that has nothing yet: the replay goes on when there is more, and holds nobody up meanwhile.
#include <cerrno>

#include "tests/netstack/replay/replay_rig.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;
using namespace std::chrono_literals;

TEST_F(ReplayTest, waits_for_a_pipe_without_a_poll_of_its_own) {
  capture_times("pipe.pcap", {0ns, 10ms, 20ms});
  host::sim::SimFile& pipe = files.file("pipe.pcap");
  pipe.read_errno = EAGAIN;
  pipe.read_fails_at = pipe.bytes.size() - 2 * (16 + 60);
  Replayer& running = replay({"pipe.pcap"});
  host.run_until(5s);
  EXPECT_EQ(wire.times(), std::vector<Time>{0s});
  EXPECT_EQ(domain.next_deadline(), std::nullopt) << "nothing to do until there is more";
  running.readable();  // a false alarm
  host.run_until(6s);
  EXPECT_EQ(running.state(), Replayer::State::running);
  pipe.read_fails_at = host::sim::SimFile::kNever;
  running.readable();
  const ReplayTotals& totals = played(running);
  EXPECT_EQ(wire.times(), (std::vector<Time>{0s, 6s, 6s})) << "what came late is sent at once";
  EXPECT_EQ(totals.sent, 3U);
  running.readable();
  EXPECT_EQ(running.state(), Replayer::State::done);
}

TEST_F(ReplayTest, ends_while_it_waits_for_a_pipe) {
  capture_times("pipe.pcap", {0ns, 10ms});
  host::sim::SimFile& pipe = files.file("pipe.pcap");
  pipe.read_errno = EAGAIN;
  pipe.read_fails_at = pipe.bytes.size() - 1;
  EXPECT_EQ(played(replay({"pipe.pcap"}, {.duration = 1s})).sent, 1U);
  EXPECT_FALSE(replayer->overdue()) << "all that was known was sent";
  EXPECT_EQ(played(replay({"pipe.pcap"}, {.frames_max = 1}), 1s).sent, 1U);
  Replayer& running = replay({"pipe.pcap"});
  host.run_until(domain.now() + 1s);
  running.stop();
  running.readable();
  host.run_until(domain.now() + 1s);
  EXPECT_EQ(running.state(), Replayer::State::stopped);
}

}  // namespace
