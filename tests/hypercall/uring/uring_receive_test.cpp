// SPDX-License-Identifier: BSD-2-Clause
// Frames in, by every way there is to receive: whole, tags back in place, offload beside them, the lost ones counted.
#include <algorithm>
#include <array>
#include <ctime>
#include <thread>

#include "hypercall/linux_ports.hpp"
#include "tests/hypercall/uring/uring_rig.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

struct Way {
  const char* name;
  const char* linkstr;
  std::vector<const char*> missing;  // calls that this host answers as if it could not
  const char* chosen;
  friend void PrintTo(const Way& way, std::ostream* to) { *to << way.name; }
};

const Way kWays[] = {
    {"block_ring", "uring:vifa,ring=1", {}, "TPACKET_V3 ring, 4 blocks of 256 KiB"},
    {"slot_ring", "uring:vifa,ring=1,latency=low", {}, "TPACKET_V2 ring, 512 slots of 2048 bytes"},
    {"multishot", "uring:vifa", {"mmap"}, "multishot receives"},
    {"recvmmsg", "uring:vifa", {"mmap", "io_uring_queue_init_params"}, "recvmmsg"},
};

class UringReceive : public UringRig, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    UringRig::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    HostFaults host;
    for (const char* call : GetParam().missing) host.fail(call, ENOSYS);
    start(GetParam().linkstr);
  }
  // Drains `budget` frames at a time until there are more than that.
  void await_more(std::size_t budget) {
    for (int tries = 0; tries < 1000; ++tries) {
      const std::size_t before = sink.frames.size();
      const bool more = link.drain(budget);
      EXPECT_LE(sink.frames.size() - before, budget);
      if (more) return;
      std::this_thread::sleep_for(10ms);
    }
  }
  // The kernel begins to stamp a while after it was asked to (net/core/dev.c, net_enable_timestamp()); until then a
  // frame's time is when it was read.
  void await_stamps() {
    for (int tries = 0; tries < 200; ++tries) {
      arrive({ether(kOurMac, 0x88b5, counting(46))});
      std::this_thread::sleep_for(20ms);
      ASSERT_TRUE(drain_until_frames(1));
      const Time age{host::LinuxClock().wall_ns() - sink.timestamps_ns.back()};
      sink.frames.clear();
      sink.timestamps_ns.clear();
      if (age > 10ms) return;
    }
    FAIL() << "frames have the time when they were read";
  }
};

TEST_P(UringReceive, says_what_it_chose) {
  EXPECT_NE(link.link.chosen.find(GetParam().chosen), std::string::npos) << link.link.chosen;
}

TEST_P(UringReceive, delivers_whole_frames_in_order_with_their_times) {
  WireFrames frames;
  for (unsigned i = 0; i < 100; ++i) frames.push_back({ether(kOurMac, 0x88b5, counting(46 + i * 14))});
  await_stamps();
  for (const WireFrame& frame : frames) arrive(frame);
  ASSERT_TRUE(drain_until_frames(frames.size()));
  EXPECT_EQ(sink.frames, frames);
  std::int64_t before = (std::time(nullptr) - 60) * std::int64_t{1'000'000'000};
  for (const std::int64_t at : sink.timestamps_ns) {
    EXPECT_GE(at, before);
    before = at;
  }
  EXPECT_TRUE(std::any_of(sink.timestamps_ns.begin(), sink.timestamps_ns.end(), [](std::int64_t at) {
    return at % 1000 != 0;
  })) << "to the nanosecond";
}

TEST_P(UringReceive, goes_on_lap_after_lap) {
  std::size_t sent = 0;
  for (int lap = 0; lap < 20; ++lap) {
    // Drained on the way: on a slow machine every frame may be handed over in a block of its own.
    for (int i = 0; i < 300; ++i) {
      arrive(ether(kOurMac, 0x88b5, counting(1000)));
      if (i % 2 == 1) link.drain_all();
    }
    sent += 300;
    ASSERT_TRUE(drain_until_frames(sent)) << lap;
  }
  EXPECT_EQ(sink.frames.size(), sent);
  EXPECT_EQ(sink.losses, decltype(sink.losses){});
}

TEST_P(UringReceive, keeps_to_its_budget) {
  for (int i = 0; i < 20; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
  await_more(3);
  link.drain_all();
  ASSERT_TRUE(drain_until_frames(20));
}

// The kernel takes the outer tag out of the bytes before any socket sees them.
TEST_P(UringReceive, puts_tags_back) {
  const Frame plain = ether(kOurMac, 0x0800, counting(46));
  const WireFrames frames = {
      {tagged(plain, 0x2007)},
      {tagged(plain, 5, 0x88a8)},
      {tagged(tagged(plain, 5), 9, 0x88a8)},
      {tagged(ether(kOurMac, 0x0800, counting(1500)), 7)},
      {tagged(plain, 7), {.flags = net::Offload::kNeedsChecksum, .csum_start = 38, .csum_offset = 6}}};
  for (const WireFrame& frame : frames) arrive(frame);
  ASSERT_TRUE(drain_until_frames(frames.size()));
  EXPECT_EQ(sink.frames, frames);
}

TEST_P(UringReceive, takes_super_frames_with_their_offload) {
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoTcp4,
                             .hdr_len = 54,
                             .gso_size = 1448,
                             .csum_start = 34,
                             .csum_offset = 16};
  const WireFrame small{ether(kOurMac, 0x88b5, counting(46))};
  // IPv4 of 60,000 bytes with a TCP header (RFC 791, 3.1; RFC 9293, 3.1), checksums left out.
  const Frame headers =
      hex("4500 ea60 0001 4000 40 06 0000 c0000202 c0000201 1234 0007 00000001 00000000 5010 ffff 0000 0000");
  const WireFrame super{ether(kOurMac, 0x0800, headers + counting(60'000 - headers.size())), offload};
  for (int i = 0; i < 3; ++i) {
    arrive(small);
    arrive(super);
  }
  arrive(small);
  ASSERT_TRUE(drain_until_frames(7));
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(sink.frames[i].bytes, i % 2 == 0 ? small.bytes : super.bytes) << i;
    net::Offload seen = sink.frames[i].offload;
    EXPECT_EQ(seen.gso_size, i % 2 == 0 ? 0 : offload.gso_size) << i;
    EXPECT_EQ(seen.gso_type, i % 2 == 0 ? 0 : offload.gso_type) << i;
    EXPECT_EQ(seen.csum_start, i % 2 == 0 ? 0 : offload.csum_start) << i;
  }
  EXPECT_EQ(sink.losses, decltype(sink.losses){});
}

// A flood that nobody drains: every frame sent is delivered or counted, not one more or less.
TEST_P(UringReceive, counts_what_overruns) {
  const std::uint64_t sent = 60'000;
  for (std::uint64_t i = 0; i < sent; ++i) arrive(ether(kOurMac, 0x88b5, counting(1000)));
  ASSERT_TRUE(drain_until([&] { return sink.frames.size() + sink.lost(DropReason::rx_overrun) >= sent; }));
  EXPECT_EQ(sink.frames.size() + sink.lost(DropReason::rx_overrun), sent);
  EXPECT_GT(sink.frames.size(), 0U);
  EXPECT_GT(sink.lost(DropReason::rx_overrun), 0U);
}

TEST_P(UringReceive, counts_what_it_has_when_it_stops) {
  for (int i = 0; i < 50; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
  await_more(10);
  const std::size_t got = sink.frames.size();
  link.stop();
  EXPECT_EQ(got + sink.lost(DropReason::not_running), 50U);
  for (int i = 0; i < 50; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
  ASSERT_TRUE(link.start());
  link.drain_all();
  arrive(ether(kOurMac, 0x88b5, counting(60)));
  ASSERT_TRUE(drain_until_frames(got + 1));
  EXPECT_EQ(sink.frames.back().bytes.size(), 74U) << "nothing from before the start";
}

TEST_P(UringReceive, hears_neither_itself_nor_the_host) {
  network.ip("addr add 192.0.2.1/24 dev vifa");
  EXPECT_EQ(link.send(ether(kPeerMac, 0x88b5, counting(46))).taken, 1U);
  ASSERT_NE(std::system("ping -c 1 -W 1 192.0.2.9 >/dev/null 2>&1"), 0) << "the host asked who that is, in vain";
  arrive(ether(kOurMac, 0x88b5, counting(99)));
  ASSERT_TRUE(drain_until_frames(1));
  EXPECT_EQ(sink.frames.size(), 1U);
  EXPECT_EQ(sink.frames[0].bytes.size(), 113U);
}

// --- calls that fail; a ring has none on the way of a frame ---

TEST_P(UringReceive, survives_a_failure_and_ends_with_one_that_stays) {
  const bool multishot = std::string(GetParam().name) == "multishot";
  if (!multishot && std::string(GetParam().name) != "recvmmsg") GTEST_SKIP() << "receives without a call";
  const char* const call = multishot ? "io_uring_get_events" : "recvmmsg";
  for (const int number : {EINTR, EIO, ENETDOWN, EEXIST}) {
    HostFaults host;
    host.fail(call, number, 1);
    const std::size_t before = sink.frames.size();
    for (int i = 0; i < 5; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
    ASSERT_TRUE(drain_until_frames(before + 5)) << number;
  }
  const std::size_t got = sink.frames.size();
  HostFaults host;
  host.fail(call, EIO);
  for (int i = 0; i < 5; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
  ASSERT_TRUE(drain_until([&] { return !sink.states.empty(); }));
  EXPECT_EQ(sink.states.back(), net::LinkState::down);
  EXPECT_EQ(sink.why->number(), EIO) << sink.why->text;
  EXPECT_EQ(sink.frames.size() + sink.lost(DropReason::not_running), got + 5) << "and what waited is counted";
  EXPECT_LT(host.calls(call), 20) << "it did not spin";
}

TEST_P(UringReceive, goes_on_without_its_counts) {
  {
    HostFaults host;
    host.fail("getsockopt", EIO);
    for (int i = 0; i < 5; ++i) arrive(ether(kOurMac, 0x88b5, counting(46)));
    ASSERT_TRUE(drain_until_frames(5));
  }
  link.stop();
  EXPECT_EQ(sink.losses, decltype(sink.losses){});
}

INSTANTIATE_TEST_SUITE_P(Ways, UringReceive, testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.name); });

}  // namespace
