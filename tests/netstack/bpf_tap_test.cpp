// SPDX-License-Identifier: BSD-2-Clause
// Who sees which frame, what is counted, and that a tap may change the list it is called from.
#include "netstack/bpf_tap.hpp"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <array>
#include <functional>
#include <vector>

#include "netstack/mbuf_pool.hpp"

namespace {

using namespace vif::net;

struct Seen {
  BpfDirection direction;
  std::uint32_t keep_bytes;
  friend bool operator==(const Seen&, const Seen&) = default;
};

class Recorder : public BpfSink {
 public:
  void tap(const Mbuf& packet, BpfDirection direction, std::uint32_t keep_bytes) noexcept override {
    seen.push_back({direction, keep_bytes});
    if (then) then(packet);
  }
  std::vector<Seen> seen;
  std::function<void(const Mbuf&)> then;
};

BpfProgram keep(std::uint32_t bytes) {
  const BpfInsn insns[] = {{.code = BPF_RET | BPF_K, .k = bytes}};
  return *BpfProgram::make(insns);
}

class BpfTap : public testing::Test {
 protected:
  MbufPool pool{{.counts = {8, 0, 0, 0}, .external = 0}};
  std::array<std::byte, 60> frame{};
  MbufPtr packet = pool.copy_in(frame);
  BpfTaps taps;
  Recorder first, second;
};

constexpr auto kIn = BpfDirection::in, kOut = BpfDirection::out;

TEST_F(BpfTap, shows_each_listener_its_directions) {
  Recorder third;
  taps.attach(first, {}, BpfDirections::in);
  taps.attach(second, {}, BpfDirections::out);
  const auto both = taps.attach(third, {}, BpfDirections::both);
  taps.mtap(*packet, kIn);
  taps.mtap(*packet, kOut);
  EXPECT_EQ(first.seen, (std::vector<Seen>{{kIn, 60}}));
  EXPECT_EQ(second.seen, (std::vector<Seen>{{kOut, 60}}));
  EXPECT_EQ(third.seen, (std::vector<Seen>{{kIn, 60}, {kOut, 60}}));
  EXPECT_EQ(taps.stats(both).seen, 2U);
}

TEST_F(BpfTap, keeps_what_the_program_says_up_to_the_frame) {
  taps.attach(first, keep(20), BpfDirections::both);
  taps.attach(second, keep(1000), BpfDirections::both);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen.at(0).keep_bytes, 20U);
  EXPECT_EQ(second.seen.at(0).keep_bytes, 60U);
}

TEST_F(BpfTap, counts_a_tag_beside_the_frame_as_bytes_of_it) {
  packet->pkthdr.flags = M_VLANTAG;
  taps.attach(first, {}, BpfDirections::both);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen.at(0).keep_bytes, 64U);
}

TEST_F(BpfTap, counts_seen_and_matched) {
  const auto none = taps.attach(first, keep(0), BpfDirections::both);
  const auto all = taps.attach(second, {}, BpfDirections::in);
  taps.mtap(*packet, kIn);
  taps.mtap(*packet, kOut);
  EXPECT_TRUE(first.seen.empty());
  EXPECT_EQ(taps.stats(none).seen, 2U);
  EXPECT_EQ(taps.stats(none).matched, 0U);
  EXPECT_EQ(taps.stats(all).seen, 1U);
  EXPECT_EQ(taps.stats(all).matched, 1U);
}

TEST_F(BpfTap, begins_at_zero_with_a_new_program) {
  const auto id = taps.attach(first, keep(0), BpfDirections::both);
  taps.mtap(*packet, kIn);
  taps.set_program(id, keep(7));
  EXPECT_EQ(taps.stats(id).seen, 0U);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen, (std::vector<Seen>{{kIn, 7}}));
  EXPECT_EQ(taps.stats(id).matched, 1U);
}

TEST_F(BpfTap, is_silent_after_detach) {
  const auto id = taps.attach(first, {}, BpfDirections::both);
  taps.attach(second, {}, BpfDirections::both);
  taps.detach(id);
  taps.mtap(*packet, kIn);
  EXPECT_TRUE(first.seen.empty());
  EXPECT_EQ(second.seen.size(), 1U);
}

TEST_F(BpfTap, may_detach_itself_inside_a_tap) {
  const auto id = taps.attach(first, {}, BpfDirections::both);
  taps.attach(second, {}, BpfDirections::both);
  first.then = [&](const Mbuf&) { taps.detach(id); };
  taps.mtap(*packet, kIn);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen.size(), 1U);
  EXPECT_EQ(second.seen.size(), 2U);
}

TEST_F(BpfTap, may_detach_a_later_listener_which_then_misses_this_frame) {
  taps.attach(first, {}, BpfDirections::both);
  const auto later = taps.attach(second, {}, BpfDirections::both);
  first.then = [&](const Mbuf&) { taps.detach(later), first.then = nullptr; };
  taps.mtap(*packet, kIn);
  EXPECT_TRUE(second.seen.empty());
}

TEST_F(BpfTap, may_attach_inside_a_tap_from_the_next_frame_on) {
  std::array<Recorder, 40> many;  // enough to move the list while it is walked
  taps.attach(first, {}, BpfDirections::both);
  taps.attach(second, {}, BpfDirections::both);
  first.then = [&](const Mbuf&) {
    first.then = nullptr;
    for (Recorder& one : many) taps.attach(one, {}, BpfDirections::both);
  };
  taps.mtap(*packet, kIn);
  EXPECT_EQ(second.seen.size(), 1U);
  EXPECT_TRUE(many.front().seen.empty());
  taps.mtap(*packet, kIn);
  EXPECT_EQ(many.back().seen.size(), 1U);
}

TEST_F(BpfTap, may_detach_while_a_frame_sent_by_a_tap_is_shown) {
  const auto id = taps.attach(first, {}, BpfDirections::in);
  const auto replies = taps.attach(second, {}, BpfDirections::out);
  first.then = [&](const Mbuf& frame_in) { taps.mtap(frame_in, kOut), taps.mtap(frame_in, kOut); };
  second.then = [&](const Mbuf&) { taps.detach(replies), taps.detach(id); };
  taps.mtap(*packet, kIn);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen.size(), 1U);
  EXPECT_EQ(second.seen, (std::vector<Seen>{{kOut, 60}}));
}

TEST_F(BpfTap, may_replace_its_own_program_inside_a_tap) {
  const auto id = taps.attach(first, {}, BpfDirections::both);
  first.then = [&](const Mbuf&) { taps.set_program(id, keep(9)); };
  taps.mtap(*packet, kIn);
  taps.mtap(*packet, kIn);
  EXPECT_EQ(first.seen, (std::vector<Seen>{{kIn, 60}, {kIn, 9}}));
}

}  // namespace
