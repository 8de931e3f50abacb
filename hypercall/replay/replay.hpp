// SPDX-License-Identifier: BSD-2-Clause
// Captures as tests, for your own C++ tests: what a capture holds goes in, what must come out is another capture (or
// the other half of the same), in virtual time or on a real link. Installed as <virtif/replay.hpp>, with
// virtif-replay.pc.
//
//   ReplayStage stage(*net::MacAddress::parse("02:00:00:00:00:0a"));   // a simulated host; virt0 stands on it
//   MyStack stack(stage.ifp());
//   EXPECT_THAT(replay("arp.pcapng").through(stage), Sends("arp-reply.pcapng", ignoring("eth.src")));
//
// Needs GoogleTest's EXPECT_THAT (gmock) in the test, and nothing of it here. One thread; two runs are the same to the
// byte, as long as the stack asks nobody but its domain for time and chance.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hypercall/loop.hpp"
#include "hypercall/sim/sim_host.hpp"
#include "netstack/ifnet.hpp"
#include "netstack/replay/expectation.hpp"
#include "netstack/replay/replay_plan.hpp"
#include "virtif/link.hpp"

namespace vif::host {

struct LinkReplayRequest;

// A simulated host with one interface, virt0, that is alone on a segment in memory with whatever is replayed. It
// outlives the stack that is put on it.
class VIF_API ReplayStage {
 public:
  // `lladdr`: of a host; with a group's, every replay ends with that error. `seed`: of all chance in the domain.
  explicit ReplayStage(const net::MacAddress& lladdr, std::uint64_t seed = 1);
  ~ReplayStage();
  ReplayStage(const ReplayStage&) = delete;
  ReplayStage& operator=(const ReplayStage&) = delete;

  // virt0: linked, and down. For a stack of netstack/ to attach; or set_input(), and IFF_UP.
  net::Ifnet& ifp();
  net::Domain& domain();
  // Lets so much virtual time pass: for what a stack does before it is ready.
  void run(Time time);
  // Something a program does, so long from now: opens, writes, closes.
  void after(Time time, std::function<void()> deed);

 private:
  friend class ReplayRun;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Where a replay is in real time: whose links (Instance::schemes()), whose clock, and in whose domain. All outlive it.
struct ReplayPlace {
  drv::LinkOpener& links;
  ClockPort& clock;
  Loop& loop;  // the calling thread polls it meanwhile; what else is in its domain goes on
};

// What became of a replay.
struct ReplayOutcome {
  struct Received {
    Time at;  // since the replay's start
    std::vector<std::byte> bytes;
  };

  std::string error;       // why not every frame was sent whole; empty: it was
  std::uint64_t sent = 0;  // frames of the captures
  std::vector<Received> received;
  net::ExpectClock clock;  // for Sends(..., within(...)); no origin: it was not played by the recorded times
};
// For GoogleTest's messages.
VIF_API void PrintTo(const ReplayOutcome& outcome, std::ostream* out);

// What is to be replayed, and how: each function says one thing more. A plain value.
class VIF_API ReplayRun {
 public:
  // Captures (pcap, pcapng, also packed with gzip or zstd), merged by time.
  explicit ReplayRun(std::vector<std::string> captures) : captures_(std::move(captures)) {}

  // Only frames that match, in pcap-filter(7)'s language with numeric addresses: one side of a conversation.
  ReplayRun& sending(std::string filter) { return filter_ = std::move(filter), *this; }
  // What the stack chooses anew each time, "tcp.seq,tcp.srcport,udp.srcport", is learned from its first frames, and put
  // in place of what was recorded: of what is sent, and, the other way, of what came. Needs sending(): the captures'
  // other frames are what the stack sent when they were made.
  ReplayRun& learning(std::string fields) { return learned_ = std::move(fields), *this; }
  // Changed first; as FrameRewriter::parse: "eth.dst=02:00:00:00:00:0a,ip:10.0.0.0/8=192.0.2.0/8".
  ReplayRun& rewriting(std::string rules) { return rules_ = std::move(rules), *this; }
  // As parse_replay_speed: "original" (the default), "x10", "pps=1k", "top".
  ReplayRun& at_speed(std::string speed) { return speed_ = std::move(speed), *this; }
  ReplayRun& with_gaps_below(Time gap_max) { return gap_max_ = gap_max, *this; }
  // Listens so long after the last frame (1 s unless said).
  ReplayRun& listening(Time linger) { return linger_ = linger, *this; }

  // Plays it in the stage's virtual time. A wrong word, or a capture that cannot be read, is the outcome's error.
  ReplayOutcome through(ReplayStage& stage) const;
  // Plays it in real time on a link of this host: "tap:t0", "stream:fd=5". What is at its other end is tested, in this
  // process or not. Errors, in the outcome: also that the link cannot be opened, or has no carrier within 10 s.
  ReplayOutcome over(const std::string& linkstr, const ReplayPlace& place) const;

 private:
  Result<LinkReplayRequest> request(std::string linkstr) const;
  Status learn(LinkReplayRequest& request) const;

  std::vector<std::string> captures_;
  std::string filter_, learned_, rules_, speed_ = "original";
  std::optional<Time> gap_max_;
  Time linger_ = std::chrono::seconds(1);
};

template <class... Paths>
ReplayRun replay(const std::string& capture, const Paths&... more) {
  return ReplayRun({capture, std::string(more)...});
}

// One thing said about what must come: EINVAL tells what of it is wrong, and then nothing matches.
using ExpectOption = std::function<Status(net::ExpectSettings&)>;

// Fields by Wireshark's names, and bytes: "ip.ttl,tcp.seq,@34..38"; as FrameMask::parse.
VIF_API ExpectOption ignoring(std::string fields);
// Of the capture and of what comes, only frames that match; as ReplayRun::sending.
VIF_API ExpectOption only(std::string filter);
// Each as often as in the capture, in any order; in order by flow. (Unless said: as in the capture.)
VIF_API ExpectOption in_any_order();
VIF_API ExpectOption in_order_per_flow();
// Frames that are not in the capture may come, too. (Unless said: nothing else comes.)
VIF_API ExpectOption allowing_others();
// At most so much earlier or later than recorded. Of a replay that is played as recorded, or xN as fast.
VIF_API ExpectOption within(Time window);

// A matcher of GoogleTest for a ReplayOutcome; its functions are called as GoogleTest wants them. The replay sent all
// it was to send, and what came back is what the capture holds.
class VIF_API SendsMatcher {
 public:
  using is_gtest_matcher = void;

  SendsMatcher(std::string capture, std::vector<ExpectOption> options)
      : capture_(std::move(capture)), options_(std::move(options)) {}

  bool MatchAndExplain(const ReplayOutcome& outcome, std::ostream* listener) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

  // The same for those without GoogleTest. Errors: the capture, or an option.
  Result<net::ExpectVerdict> judge(const ReplayOutcome& outcome) const;

 private:
  std::string capture_;
  std::vector<ExpectOption> options_;
};

template <class... Options>
SendsMatcher Sends(std::string capture, Options... options) {  // NOLINT(readability-identifier-naming)
  return SendsMatcher(std::move(capture), {ExpectOption(std::move(options))...});
}

}  // namespace vif::host
