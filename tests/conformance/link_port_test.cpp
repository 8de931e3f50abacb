// SPDX-License-Identifier: BSD-2-Clause
// The same questions to every backend: does it keep the contract of virtif/link.hpp? What a backend cannot be asked is
// skipped, with its reason. Threads: link_port_threads_test.cpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "tests/conformance/world.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using During = RecordingSink::During;

constexpr std::uint16_t kType = 0x88b5;  // IEEE 802, local experimental EtherType 1

// A frame of `bytes` in all that differs from its neighbours in a burst.
WireFrame numbered(std::size_t bytes, unsigned number = 0, const net::MacAddress& dst = kOurMac) {
  WireFrame frame{ether(dst, kType, counting(bytes - net::kEtherHeaderBytes))};
  if (bytes > net::kEtherHeaderBytes) frame.bytes.back() = static_cast<std::byte>(number);
  return frame;
}

WireFrames burst_of(std::size_t count, std::size_t bytes = 60) {
  WireFrames frames;
  for (unsigned i = 0; i < count; ++i) frames.push_back(numbered(bytes, i));
  return frames;
}

class LinkContract : public testing::TestWithParam<Backend> {
 protected:
  void TearDown() override {
    if (link_.port) stop();
    link_.port.reset();
  }

  Result<drv::OpenLink> try_open(const std::string& linkstr) {
    Result<drv::Linkstr> parsed = drv::Linkstr::parse(linkstr);
    if (!parsed) return std::move(parsed).error();
    return world_->open(*parsed, {ifname_, kOurMac});
  }
  // With nothing to receive unless the test has prepared something.
  void open() {
    if (!prepared_) world_->prepare({});
    Result<drv::OpenLink> opened = try_open(world_->linkstr());
    ASSERT_TRUE(opened) << opened.error().text;
    link_ = std::move(*opened);
  }
  void start() {
    link_.port->set_receive_filter({.lladdr = kOurMac});
    const Status started = link_.port->start(sink_);
    ASSERT_TRUE(started) << started.error().text;
  }
  void open_and_start() {
    open();
    if (!HasFatalFailure()) start();
  }
  void stop() {
    sink_.during = During::stop;
    link_.port->stop();
    sink_.during = During::nothing;
  }
  bool drain(std::size_t budget) {
    sink_.during = During::drain;
    const bool more = link_.port->drain(budget);
    sink_.during = During::nothing;
    return more;
  }
  void drain_all() {
    for (int rounds = 0; drain(64); ++rounds) ASSERT_LT(rounds, 10'000) << "drain never ends";
  }
  // No upcall but ready() may come out of it: `during` says so.
  drv::SendResult send(const WireFrames& frames, std::size_t slices = 1) {
    std::vector<Sliced> sliced;
    for (const WireFrame& frame : frames) sliced.emplace_back(frame, slices);
    std::vector<drv::TxFrame> views;
    for (const Sliced& frame : sliced) views.push_back(frame.view());
    return link_.port->send(views);
  }
  void send_all(const WireFrames& frames, std::size_t slices = 1) {
    const drv::SendResult result = send(frames, slices);
    EXPECT_EQ(result.taken, frames.size());
    EXPECT_EQ(result.status, drv::SendStatus::ok);
  }
  // What was sent, as the far side saw it; false: nobody sees it.
  bool compare_sent(const WireFrames& frames) {
    stop();
    const std::optional<WireFrames> seen = world_->sent();
    if (seen) expect_same(*seen, frames);
    return seen.has_value();
  }
  // Without printing a quarter of a megabyte.
  static void expect_same(const WireFrames& seen, const WireFrames& frames) {
    ASSERT_EQ(seen.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_TRUE(seen[i] == frames[i]) << "frame " << i << " of " << frames[i].bytes.size() << " bytes";
    }
  }
  std::size_t largest() const { return link_.caps.frame_bytes_max; }

  std::string ifname_ = "virt0";
  std::unique_ptr<World> world_ = GetParam().make();
  bool prepared_ = false;
  RecordingSink sink_;
  drv::OpenLink link_;
};

// For what a world answers to prepare...().
#define ASK(prepare)                                    \
  if (const auto cannot = (prepare)) {                  \
    GTEST_SKIP() << GetParam().name << ": " << *cannot; \
  }                                                     \
  prepared_ = true

// --- open ---

TEST_P(LinkContract, refuses_what_it_does_not_understand_and_names_it) {
  world_->prepare({});
  for (const Refused& bad : world_->refused()) {
    const Result<drv::OpenLink> opened = try_open(bad.linkstr);
    ASSERT_FALSE(opened) << bad.linkstr;
    EXPECT_EQ(opened.error().number(), EINVAL) << bad.linkstr << ": " << opened.error().text;
    EXPECT_NE(opened.error().text.find(bad.names), std::string::npos) << bad.linkstr << ": " << opened.error().text;
  }
}

TEST_P(LinkContract, refuses_an_unknown_option_and_names_it) {
  world_->prepare({});
  const Result<drv::OpenLink> opened = try_open(world_->linkstr() + ",no-such-option=1");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().number(), EINVAL);
  EXPECT_NE(opened.error().text.find("no-such-option"), std::string::npos) << opened.error().text;
}

TEST_P(LinkContract, opens_after_a_refusal) {
  for (const Refused& bad : world_->refused()) EXPECT_FALSE(try_open(bad.linkstr));
  open();
}

TEST_P(LinkContract, says_sane_things_of_itself) {
  open();
  EXPECT_GE(link_.caps.frame_bytes_max, 64U);
  EXPECT_LE(link_.caps.frame_bytes_min, 60U);
  EXPECT_GE(link_.caps.slices_max, 1U);
  if (link_.caps.lladdr) {
    EXPECT_FALSE(link_.caps.lladdr->is_group());
  }
}

// --- start, stop, close ---

TEST_P(LinkContract, stops_harmlessly_when_not_started) {
  open();
  stop();
  stop();
  start();
  stop();
  stop();
  EXPECT_EQ(sink_.losses, decltype(sink_.losses){});
}

TEST_P(LinkContract, starts_again_after_stop) {
  ASK(world_->prepare_any(3));
  open_and_start();
  stop();
  start();
  world_->release();
  drain_all();
  EXPECT_EQ(sink_.frames.size(), 3U);
  send_all(burst_of(3));
}

TEST_P(LinkContract, is_silent_after_stop) {
  ASK(world_->prepare_any(40));
  open_and_start();
  if (!world_->arrives_when_released()) drain(1);
  stop();
  const std::size_t frames = sink_.frames.size(), readies = sink_.readies;
  world_->release();
  EXPECT_EQ(sink_.frames.size(), frames);
  EXPECT_EQ(sink_.readies, readies);
}

TEST_P(LinkContract, leaves_nothing_open_behind) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  ASK(world_->prepare_any(3));
  open_and_start();
  TearDown();
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) {
    open_and_start();
    send_all(burst_of(2));
    TearDown();
  }
  EXPECT_EQ(descriptors(), before);
  world_->release();  // to nobody
}

// --- receive ---

TEST_P(LinkContract, delivers_every_frame_of_a_burst) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{32}, std::size_t{64}}) {
    ASK(world_->prepare_any(count));
    open_and_start();
    world_->release();
    drain_all();
    EXPECT_EQ(std::exchange(sink_.frames, {}).size(), count);
    TearDown();
  }
}

TEST_P(LinkContract, delivers_frames_whole_in_order_and_unchanged) {
  open();
  WireFrames frames;
  for (const std::size_t bytes : {14UL, 15UL, 59UL, 60UL, 64UL, 1514UL, 9014UL, 65550UL, largest()}) {
    if (bytes <= largest()) frames.push_back(numbered(bytes, static_cast<unsigned>(frames.size())));
  }
  link_.port.reset();
  ASK(world_->prepare(frames));
  open_and_start();
  world_->release();
  drain_all();
  expect_same(sink_.frames, frames);
}

TEST_P(LinkContract, keeps_to_the_budget_and_says_whether_there_is_more) {
  ASK(world_->prepare_any(100));
  open_and_start();
  world_->release();
  for (const std::size_t budget : {1UL, 2UL, 31UL, 33UL}) {
    const std::size_t before = sink_.frames.size();
    EXPECT_TRUE(drain(budget)) << "there is more";
    EXPECT_LE(sink_.frames.size() - before, budget);
  }
  drain_all();
  EXPECT_EQ(sink_.frames.size(), 100U) << "it said there was no more, without ready()";
}

TEST_P(LinkContract, calls_ready_for_what_arrives_while_idle) {
  ASK(world_->prepare_any(1));
  if (!world_->arrives_when_released()) GTEST_SKIP() << GetParam().name << ": its frames are there from the start";
  open_and_start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(drain(64));
    world_->prepare_any(1);
    const std::size_t before = sink_.readies;
    world_->release();
    EXPECT_GT(sink_.readies, before);
    drain_all();
  }
  EXPECT_EQ(sink_.frames.size(), 3U);
}

// A hint may let more pass, never less.
TEST_P(LinkContract, passes_all_that_its_filter_asks_for) {
  const std::vector<net::MacRange> groups = {net::MacRange::single(kGroupMac)};
  const net::MacAddress other_group{{0x33, 0x33, 0, 0, 0, 1}}, stranger{{0x02, 9, 9, 9, 9, 9}};
  const struct {
    drv::ReceiveFilter filter;
    std::vector<net::MacAddress> wanted;
  } kCases[] = {
      {{.lladdr = kOurMac}, {kOurMac, net::kBroadcast}},
      {{.lladdr = kOurMac, .groups = groups}, {kOurMac, net::kBroadcast, kGroupMac}},
      {{.lladdr = kOurMac, .allmulti = true}, {kOurMac, net::kBroadcast, kGroupMac, other_group}},
      {{.lladdr = kOurMac, .promisc = true}, {kOurMac, net::kBroadcast, kGroupMac, other_group, stranger}},
  };
  for (const auto& asked : kCases) {
    WireFrames frames;
    for (const net::MacAddress& dst : asked.wanted) frames.push_back(numbered(60, 0, dst));
    ASK(world_->prepare(frames));
    open();
    link_.port->set_receive_filter({.lladdr = stranger});
    ASSERT_TRUE(link_.port->start(sink_));
    link_.port->set_receive_filter(asked.filter);  // also while running
    world_->release();
    drain_all();
    EXPECT_EQ(std::exchange(sink_.frames, {}), frames);
    TearDown();
  }
}

// --- send ---

TEST_P(LinkContract, takes_bursts) {
  open_and_start();
  WireFrames all;
  for (const std::size_t count : {1UL, 32UL, 64UL}) {
    const WireFrames burst = burst_of(count);
    send_all(burst);
    all.insert(all.end(), burst.begin(), burst.end());
  }
  compare_sent(all);
}

TEST_P(LinkContract, sends_frames_whole_in_order_and_unchanged) {
  open_and_start();
  WireFrames frames;
  for (const std::size_t bytes : {14UL, 15UL, 59UL, 60UL, 64UL, 1514UL, 9014UL, largest()}) {
    if (bytes >= link_.caps.frame_bytes_min && bytes <= largest()) frames.push_back(numbered(bytes));
  }
  WireFrames all;
  for (const std::size_t slices : {1UL, 2UL, 7UL}) {
    if (slices > link_.caps.slices_max) continue;
    send_all(frames, slices);
    all.insert(all.end(), frames.begin(), frames.end());
  }
  if (!compare_sent(all)) GTEST_SKIP() << GetParam().name << ": nobody sees what it takes";
}

TEST_P(LinkContract, refuses_a_frame_too_large_and_takes_those_before_it) {
  open_and_start();
  WireFrames frames = burst_of(3);
  frames[2] = numbered(largest() + 1);
  frames.push_back(numbered(60, 3));
  const drv::SendResult result = send(frames);
  EXPECT_EQ(result.taken, 2U);
  EXPECT_EQ(result.status, drv::SendStatus::message_size);
  send_all({frames[3]});  // goes on behind it
  frames.erase(frames.begin() + 2);
  compare_sent(frames);
}

// That send makes no upcall but ready() is checked by the sink, here and in every other test.
TEST_P(LinkContract, gives_us_none_of_our_own_frames_unless_it_says_so) {
  open_and_start();
  if (link_.caps.reflects) GTEST_SKIP() << GetParam().name << ": it says that it reflects";
  for (int i = 0; i < 4; ++i) {
    send_all(burst_of(32));
    drain_all();
  }
  EXPECT_TRUE(sink_.frames.empty());
}

TEST_P(LinkContract, carries_offload_when_it_says_so) {
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum,
                             .gso_type = net::Offload::kGsoTcp4,
                             .hdr_len = 54,
                             .gso_size = 1448,
                             .csum_start = 34,
                             .csum_offset = 16};
  open();
  if (!link_.caps.offload) GTEST_SKIP() << GetParam().name << ": it says that it does not";
  WireFrames frames = {numbered(60), numbered(40'000), numbered(60)};
  frames[1].offload = offload;
  link_.port.reset();
  const bool receives = !world_->prepare(frames);
  prepared_ = receives;
  open_and_start();
  world_->release();
  drain_all();
  if (receives) expect_same(sink_.frames, frames);
  send_all(frames);
  compare_sent(frames);
}

// --- errors ---

TEST_P(LinkContract, says_why_it_went_down_for_good) {
  ASK(world_->prepare_failure());
  open_and_start();
  world_->release();
  drain_all();
  ASSERT_FALSE(sink_.states.empty());
  EXPECT_EQ(sink_.states.back(), net::LinkState::down);
  ASSERT_TRUE(sink_.why);
  EXPECT_NE(sink_.why->number(), 0);
  EXPECT_FALSE(sink_.why->text.empty());
}

INSTANTIATE_TEST_SUITE_P(Backends, LinkContract, testing::ValuesIn(kBackends),
                         [](const auto& backend) { return std::string(backend.param.name); });

}  // namespace
