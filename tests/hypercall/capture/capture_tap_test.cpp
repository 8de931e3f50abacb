// SPDX-License-Identifier: BSD-2-Clause
// What a client that captures is sent of an interface's frames, and what it is told of those it is not sent.
#include "hypercall/host/capture/capture_tap.hpp"

#include <gtest/gtest.h>

#include "hypercall/bpf_compile.hpp"
#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using host::CaptureRecord;
using host::CaptureTap;
using enum net::BpfDirection;

struct Record {
  CaptureRecord head;  // its body is in `body`
  Frame body;
};

struct CountedWakes final : net::WakePort {
  void wake() override { ++wakes; }
  int wakes = 0;
};

class Capture : public testing::Test {
 protected:
  ~Capture() override { tap.stop(); }

  void attach(const CaptureTap::Config& config = {}) {
    net::Ifnet* const interfaces[] = {&rig.ifp};
    tap.attach(interfaces, config);
  }
  void pass(const Frame& frame, net::BpfDirection direction = in) {
    rig.ifp.taps.mtap(*chain(rig.pool, frame, 1000), direction);
  }
  // All that is in the ring, and out of it.
  std::vector<Record> records() {
    Frame bytes;
    for (const Bytes piece : tap.ring().readable()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    tap.ring().consume(bytes.size());
    std::vector<Record> all;
    for (Bytes rest = bytes; !rest.empty();) {
      const auto record = host::parse_capture_record(rest, 2);
      EXPECT_TRUE(record && *record);
      if (!record || !*record) break;
      all.push_back({**record, {(**record).body.begin(), (**record).body.end()}});
      rest = rest.subspan(host::kCaptureHeadBytes + (**record).body.size());
    }
    return all;
  }
  static host::CaptureTally tally(const Record& record) {
    CaptureRecord whole = record.head;
    whole.body = record.body;
    return host::tally_of(whole);
  }

  OneInterface rig;
  CountedWakes wake;
  CaptureTap tap{rig.host.clock, wake};
};

TEST_F(Capture, copies_frames_as_on_the_wire) {
  attach();
  const Frame frame = ether(kOurMac, 0x0800, counting(2500));
  rig.ifp.taps.mtap(*chain(rig.pool, frame, 7), in);
  const net::MbufPtr with_tag_beside = chain(rig.pool, frame, 5);
  with_tag_beside->pkthdr.flags |= net::M_VLANTAG;
  with_tag_beside->pkthdr.vlan_tci = 0x2005;
  rig.ifp.taps.mtap(*with_tag_beside, out);
  const std::vector<Record> came = records();
  ASSERT_EQ(came.size(), 2u);
  EXPECT_EQ(came[0].body, frame);
  EXPECT_FALSE(came[0].head.outbound);
  EXPECT_EQ(came[1].body, tagged(frame, 0x2005));
  EXPECT_TRUE(came[1].head.outbound);
  EXPECT_EQ(came[1].head.wire_bytes, frame.size() + 4);
}

TEST_F(Capture, cuts_frames_anywhere_and_says_how_long_they_were) {
  const Frame frame = ether(kOurMac, 0x0800, counting(86));
  for (const std::uint32_t bytes : {1U, 11U, 12U, 13U, 15U, 16U, 17U, 99U, 103U, 104U, 105U}) {
    CaptureTap cutting{rig.host.clock, wake};
    net::Ifnet* const interfaces[] = {&rig.ifp};
    cutting.attach(interfaces, {.program = {}, .snap_bytes = bytes});
    const net::MbufPtr packet = chain(rig.pool, frame, 9);
    packet->pkthdr.flags |= net::M_VLANTAG;
    rig.ifp.taps.mtap(*packet, in);
    const auto record = host::parse_capture_record(cutting.ring().readable()[0], 1);
    ASSERT_TRUE(record && *record);
    Frame expected = tagged(frame, 0);
    EXPECT_EQ((**record).wire_bytes, expected.size());
    expected.resize(std::min<std::size_t>(bytes, expected.size()));
    EXPECT_EQ(Frame((**record).body.begin(), (**record).body.end()), expected) << bytes;
    cutting.stop();
  }
}

TEST_F(Capture, stamps_with_the_links_time_or_with_now) {
  attach();
  rig.host.clock.set(Time(5));
  const net::MbufPtr packet = chain(rig.pool, arp_request(), 100);
  rig.ifp.taps.mtap(*packet, in);
  packet->pkthdr.timestamp_ns = 77;
  rig.ifp.taps.mtap(*packet, in);
  rig.ifp.taps.mtap(*packet, out);  // when it came in elsewhere
  const std::vector<Record> came = records();
  ASSERT_EQ(came.size(), 3u);
  EXPECT_EQ(came[0].head.time_ns, rig.host.clock.wall_ns());
  EXPECT_EQ(came[1].head.time_ns, 77);
  EXPECT_EQ(came[2].head.time_ns, rig.host.clock.wall_ns());
}

TEST_F(Capture, counts_what_its_filter_refuses_and_the_other_direction_not_at_all) {
  attach({.program = *host::compile_filter("arp"), .directions = net::BpfDirections::out});
  pass(arp_request(), out);
  pass(bpdu(), out);
  pass(arp_request(), in);
  tap.stop();
  const std::vector<Record> came = records();
  ASSERT_EQ(came.size(), 2u);
  EXPECT_EQ(came[1].head.kind, CaptureRecord::Kind::stopped);
  EXPECT_EQ(tally(came[1]).seen, 2u);
  EXPECT_EQ(tally(came[1]).matched, 1u);
  EXPECT_EQ(tally(came[1]).lost, 0u);
}

TEST_F(Capture, counts_every_frame_that_finds_no_room_and_says_before_which) {
  attach();
  const Frame frame = ether(kOurMac, 0x0800, counting(1400));
  const std::size_t much = CaptureTap::kRingBytes / frame.size();
  for (std::size_t i = 0; i < much; ++i) pass(frame);
  const std::vector<Record> first = records();
  EXPECT_LT(first.size(), much);
  EXPECT_GT(first.size(), much * 9 / 10) << "the ring is used";
  pass(frame);
  for (std::size_t i = 0; i < 2 * much; ++i) pass(frame);
  tap.stop();
  const std::vector<Record> second = records();
  ASSERT_GE(second.size(), 2u);
  EXPECT_EQ(second.front().head.lost, much - first.size());
  EXPECT_EQ(second[1].head.lost, 0u);
  EXPECT_EQ(second.front().body, frame) << "that goes round the end of the ring";
  const host::CaptureTally came = tally(second.back());
  EXPECT_EQ(came.seen, 3 * much + 1);
  EXPECT_EQ(came.matched, first.size() + second.size() - 1 + came.lost);
  EXPECT_EQ(came.lost, second.front().head.lost + second.back().head.lost);
}

TEST_F(Capture, ends_when_told_and_says_so_last) {
  attach();
  pass(arp_request());
  EXPECT_FALSE(tap.ended());
  tap.stop();
  tap.stop();
  pass(arp_request());
  EXPECT_TRUE(tap.ended());
  EXPECT_EQ(records().size(), 2u);
}

TEST_F(Capture, tells_of_an_interface_that_goes_and_goes_on_with_the_others) {
  RecordingDriver driver;
  std::optional<net::Ifnet> other;
  other.emplace(rig.domain, driver, "sim", 1U, net::IfQueue::kDefaultFrames);
  driver.ifp = &*other;
  net::ether_ifattach(*other, kPeerMac);
  rig.domain.publish(*other);
  net::Ifnet* const interfaces[] = {&*other, &rig.ifp};
  tap.attach(interfaces, {});
  other->taps.mtap(*chain(rig.pool, arp_request(), 100), in);
  rig.domain.withdraw(*other);
  other.reset();
  EXPECT_FALSE(tap.ended());
  pass(arp_request());
  const std::vector<Record> came = records();
  ASSERT_EQ(came.size(), 3u);
  EXPECT_EQ(came[0].head.interface, 0u);
  EXPECT_EQ(came[1].head.kind, CaptureRecord::Kind::gone);
  EXPECT_EQ(tally(came[1]).seen, 1u);
  EXPECT_EQ(came[2].head.interface, 1u);
  EXPECT_EQ(wake.wakes, 0) << "nobody slept";
}

TEST_F(Capture, wakes_a_sleeping_reader_once) {
  attach();
  ASSERT_TRUE(tap.ring().may_sleep());
  pass(arp_request());
  pass(arp_request());
  EXPECT_EQ(wake.wakes, 1);
  EXPECT_FALSE(tap.ring().may_sleep()) << "there is something to read";
  records();
  ASSERT_TRUE(tap.ring().may_sleep());
  tap.stop();
  EXPECT_EQ(wake.wakes, 2);
  EXPECT_TRUE(tap.ended());
}

}  // namespace
