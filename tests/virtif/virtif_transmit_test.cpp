// SPDX-License-Identifier: BSD-2-Clause
// The way out: what the backend's answers do to the queue, what a frame is made fit for, and what the taps see.
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::drv::SendStatus;

class Transmit : public Rig {
 protected:
  explicit Transmit(const Domain::Config& config = {}) : Rig(config) {}

  Frame numbered(const Ifnet& ifp, unsigned number) { return frame(kPeer, ifp.lladdr(), 60, number); }
  std::vector<Frame> each(const Ifnet& ifp, std::vector<unsigned> numbers) {
    std::vector<Frame> frames;
    for (const unsigned number : numbers) frames.push_back(numbered(ifp, number));
    return frames;
  }
  // Queues frames 0..count-1 while the backend says no, then lets it answer.
  void queue(Ifnet& ifp, unsigned count, std::deque<vif::drv::SendResult> answers) {
    wire().send_answers = {{0, SendStatus::would_block}};
    for (unsigned i = 0; i < count; ++i) ASSERT_EQ(transmit(ifp, numbered(ifp, i)), 0);
    wire().send_answers = std::move(answers);
    wire().writable();
  }
};

TEST_F(Transmit, a_partial_send_keeps_the_rest_in_order) {
  Ifnet& ifp = running();
  queue(ifp, 5, {{2, SendStatus::would_block}, {1, SendStatus::would_block}});
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {0, 1}));
  EXPECT_EQ(ifp.snd.size(), 3U);
  EXPECT_TRUE(ifp.is(IFF_OACTIVE));
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {0, 1, 2}));
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {0, 1, 2, 3, 4}));
  EXPECT_FALSE(ifp.is(IFF_OACTIVE));
}

TEST_F(Transmit, a_frame_too_large_for_the_backend_is_dropped_from_the_middle) {
  Ifnet& ifp = running();
  queue(ifp, 5, {{2, SendStatus::message_size}});
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {0, 1, 3, 4}));
  EXPECT_EQ(dropped(ifp, DropReason::tx_too_long), 1U);
}

TEST_F(Transmit, a_network_that_is_down_takes_the_whole_queue_with_it) {
  Ifnet& ifp = running();
  queue(ifp, 50, {{2, SendStatus::network_down}});
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {0, 1}));
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 48U);
  EXPECT_EQ(transmit(ifp, numbered(ifp, 9)), 0) << "the next one tries again";
  EXPECT_EQ(wire().sent.size(), 3U);
}

TEST_F(Transmit, a_full_queue_refuses_and_counts) {
  Ifnet& ifp = running();
  queue(ifp, 256, {{0, SendStatus::would_block}});
  EXPECT_EQ(transmit(ifp, numbered(ifp, 0)), ENOBUFS);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::queue_full), 1U);
  EXPECT_EQ(data.oqdrops, 1U);
  host.settle();
  EXPECT_EQ(ifp.snd.size(), 256U);
}

TEST_F(Transmit, what_is_no_frame_for_this_interface_is_refused_and_counted) {
  Ifnet& ifp = running();
  Frame runt = numbered(ifp, 0);
  runt.resize(13);
  EXPECT_EQ(transmit(ifp, runt), EINVAL);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 1515)), EMSGSIZE);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 1514)), 0);
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(transmit(ifp, numbered(ifp, 0)), ENETDOWN);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::tx_too_short), 1U);
  EXPECT_EQ(data.dropped(DropReason::tx_too_long), 1U);
  EXPECT_EQ(data.dropped(DropReason::tx_down), 1U);
  EXPECT_EQ(data.oerrors, 3U);
  EXPECT_EQ(data.offered(), 4U);
}

TEST_F(Transmit, an_unlinked_interface_refuses) {
  EXPECT_EQ(transmit(create("virt0"), frame(kPeer, kStranger)), ENETDOWN);
}

TEST_F(Transmit, a_burst_is_bounded_by_its_slices_too) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  for (unsigned i = 0; i < 8; ++i) {  // 30 pieces each: four fit a burst of 128
    ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 300),
                       std::vector<std::size_t>{14, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                1,  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
              0);
  }
  wire().send_calls = 0;
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent, std::vector<Frame>(8, frame(kPeer, ifp.lladdr(), 300)));
  EXPECT_EQ(wire().sent_slices, std::vector<std::size_t>(8, 30));
  EXPECT_EQ(wire().send_calls, 2U);
  EXPECT_EQ(ifp.counters.read().linearised, 0U);
}

TEST_F(Transmit, a_backend_that_takes_one_piece_gets_one) {
  wire().caps.slices_max = 1;
  wire().caps.frame_bytes_min = 60;
  Ifnet& ifp = running();
  const Frame arp = frame(kPeer, ifp.lladdr(), 42);
  ASSERT_EQ(transmit(ifp, arp, {14, 20}), 0);
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 700), {14, 20}), 0);
  Frame padded = arp;
  padded.resize(60);
  EXPECT_EQ(wire().sent, (std::vector{padded, frame(kPeer, ifp.lladdr(), 700)}));
  EXPECT_EQ(wire().sent_slices, (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(ifp.counters.read().linearised, 2U);
}

class TransmitFewMbufs : public Transmit {
 protected:
  TransmitFewMbufs() : Transmit({.pool = {.counts = {3, 0, 0, 0}, .external = 0}}) {}
};

TEST_F(TransmitFewMbufs, without_an_mbuf_to_copy_into_the_frame_is_dropped_and_the_others_go_on) {
  wire().caps.slices_max = 1;
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
  ASSERT_EQ(transmit(ifp, numbered(ifp, 2), {14}), 0);
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent, each(ifp, {1, 2})) << "the first gave its mbuf back in time";

  wire().send_calls = 0;
  const MbufPtr hoarded = domain.pool().get(60);
  ASSERT_EQ(transmit(ifp, numbered(ifp, 3), {14}), 0);
  EXPECT_EQ(dropped(ifp, DropReason::tx_no_mbuf), 1U);
  EXPECT_EQ(wire().send_calls, 0U) << "nothing is left to send";
  EXPECT_EQ(transmit(ifp, numbered(ifp, 4)), 0);
  EXPECT_EQ(wire().sent.size(), 3U);
}

TEST_F(Transmit, broadcasts_and_groups_are_counted) {
  Ifnet& ifp = running();
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::out);
  ASSERT_EQ(transmit(ifp, frame(kBroadcast, ifp.lladdr())), 0);
  ASSERT_EQ(transmit(ifp, frame(kGroup, ifp.lladdr())), 0);
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 100)), 0);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.opackets, 3U);
  EXPECT_EQ(data.obytes, 220U);
  EXPECT_EQ(data.osegments, 3U);
  EXPECT_EQ(data.omcasts, 2U);
}

using Taps = Transmit;

TEST_F(Taps, see_both_directions_and_what_promiscuous_mode_let_in) {
  Ifnet& ifp = running();
  Tapped both, in, out;
  ifp.taps.attach(both, {}, BpfDirections::both);
  ifp.taps.attach(in, {}, BpfDirections::in);
  ifp.taps.attach(out, {}, BpfDirections::out);
  ASSERT_EQ(error_of(ifp.ioctl(SetPromisc{true})), 0);
  const Frame heard = frame(kStranger, kPeer), said = numbered(ifp, 1);
  arrive(heard);
  ASSERT_EQ(transmit(ifp, said, {14}), 0);
  const std::pair in_frame{BpfDirection::in, heard}, out_frame{BpfDirection::out, said};
  EXPECT_EQ(both.frames, (std::vector{in_frame, out_frame}));
  EXPECT_EQ(in.frames, std::vector{in_frame});
  EXPECT_EQ(out.frames, std::vector{out_frame});
}

TEST_F(Taps, do_not_see_what_was_dropped) {
  Ifnet& ifp = running();
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::both);
  arrive(frame(kStranger, kPeer));
  arrive(frame(ifp.lladdr(), kPeer, 1600));
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 1600)), EMSGSIZE);
  EXPECT_TRUE(tap.frames.empty());
}

TEST_F(Taps, writing_to_an_interface_that_is_down_leaks_nothing) {
  Ifnet& ifp = running();
  ASSERT_EQ(down(ifp), 0);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(transmit(ifp, numbered(ifp, 0), {14, 20}), ENETDOWN);
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

// The tag may stand in pkthdr on the way down; on the wire it stands behind the addresses.
TEST_F(Transmit, a_tag_kept_beside_the_bytes_is_put_back) {
  Ifnet& ifp = running();
  Tapped tapped;
  const auto id = ifp.taps.attach(tapped, {}, BpfDirections::out);
  const Frame plain = frame(kPeer, ifp.lladdr());
  Frame tagged(plain.begin(), plain.begin() + 12);
  for (const int octet : {0x81, 0x00, 0x20, 0x56}) tagged.push_back(static_cast<std::byte>(octet));
  tagged.insert(tagged.end(), plain.begin() + 12, plain.end());
  for (const std::vector<std::size_t>& pieces : {std::vector<std::size_t>{}, {14}, {1, 5, 20}}) {
    MbufPtr packet = chain(plain, pieces);
    packet->pkthdr.flags |= M_VLANTAG;
    packet->pkthdr.vlan_tci = 0x2056;
    EXPECT_TRUE(ifp.transmit(std::move(packet)));
    EXPECT_EQ(wire().sent.back(), tagged);
    EXPECT_EQ(tapped.frames.back().second, tagged);
  }
  EXPECT_EQ(ifp.counters.read().obytes, 3 * tagged.size());
  ifp.taps.detach(id);
}

// A tag that cannot be put in for want of an mbuf costs that frame, and leaves it whole until then.
class TransmitFromASmallPool : public Transmit {
 protected:
  TransmitFromASmallPool() : Transmit(small()) {}
  static Domain::Config small() {
    Domain::Config config;
    config.pool.counts = {2, 0, 0, 0};
    return config;
  }
};

TEST_F(TransmitFromASmallPool, never_sends_a_frame_with_half_a_tag) {
  Ifnet& ifp = running();
  Frame storage = frame(kPeer, ifp.lladdr());
  wire().send_answers = {{0, SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
  MbufPtr packet = domain.pool().attach_external(storage, nullptr, nullptr);
  packet->pkthdr.flags |= M_VLANTAG;
  packet->pkthdr.vlan_tci = 5;
  EXPECT_TRUE(ifp.transmit(std::move(packet)));
  wire().writable();
  host.settle();
  for (const Frame& sent : wire().sent) EXPECT_TRUE(sent.size() == 60 || sent.size() == 64) << sent.size();
  EXPECT_EQ(wire().sent.size() + dropped(ifp, DropReason::tx_no_mbuf), 2U);
}

}  // namespace
