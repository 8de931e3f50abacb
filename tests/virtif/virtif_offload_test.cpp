// SPDX-License-Identifier: BSD-2-Clause
// Checksums and super-frames on the way out: given on whole where the link takes them, done here where it does not.
#include "tests/support/super_frames.hpp"
#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::drv::SendStatus;
using vif::test::super_frame;
using vif::test::SuperFrame;
using vif::test::SuperFrameSpec;
using vif::test::WireSegment;

class TransmitOffload : public Rig {
 protected:
  // As tests/support/super_frames.hpp makes it, from us to the peer.
  SuperFrame super(const Ifnet& ifp, const SuperFrameSpec& spec = {}) { return super_frame(spec, kPeer, ifp.lladdr()); }
  int send(Ifnet& ifp, const SuperFrame& whole, const std::vector<std::size_t>& pieces = {}) {
    MbufPtr packet = chain(whole.bytes, pieces);
    packet->pkthdr.offload = whole.offload;
    return error_of(ifp.transmit(std::move(packet)));
  }
  Frame numbered(const Ifnet& ifp, unsigned number) { return frame(kPeer, ifp.lladdr(), 60, number); }
  // What is on the wire are sound frames without offload, which together carry counting(bytes).
  void expect_segments(std::size_t bytes) {
    Frame payload;
    for (std::size_t i = 0; i < wire().sent.size(); ++i) {
      const WireSegment segment(wire().sent[i]);
      EXPECT_TRUE(segment.holds()) << i;
      EXPECT_EQ(wire().sent_offload[i], Offload{}) << i;
      payload.insert(payload.end(), segment.payload.begin(), segment.payload.end());
    }
    EXPECT_EQ(payload, vif::test::counting(bytes));
  }
  const Offload open_checksum{.flags = Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 6};
};

TEST_F(TransmitOffload, super_frames_go_out_whole_where_the_link_takes_them) {
  wire().caps.offload = OffloadSet::all();
  Ifnet& ifp = running();
  const SuperFrame tcp = super(ifp, {.payload_bytes = 60'000, .gso_size = 1000});
  ASSERT_EQ(send(ifp, tcp), 0);
  ASSERT_EQ(send(ifp, {numbered(ifp, 1), open_checksum}), 0);
  EXPECT_EQ(wire().sent, (std::vector{tcp.bytes, numbered(ifp, 1)}));
  EXPECT_EQ(wire().sent_offload, (std::vector{tcp.offload, open_checksum}));
  EXPECT_EQ(ifp.counters.read().opackets, 2U);
  EXPECT_EQ(ifp.counters.read().osegments, 61U);
}

TEST_F(TransmitOffload, and_are_cut_where_it_does_not) {
  Ifnet& ifp = running();
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::out);
  const SuperFrame tcp = super(ifp, {.payload_bytes = 60'000});
  ASSERT_EQ(send(ifp, tcp, {54, 1000, 20'000}), 0);
  EXPECT_EQ(wire().sent.size(), 42U);
  expect_segments(60'000);
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.opackets, 42U);
  EXPECT_EQ(data.ocut, 41U);
  EXPECT_EQ(data.offered(), 1U);
  EXPECT_EQ(data.osegments, 42U);
  EXPECT_EQ(data.obytes, tcp.bytes.size());
  EXPECT_EQ(data.linearised, 0U) << "headers and payload in pieces";
  EXPECT_EQ(tap.frames, (std::vector{std::pair{BpfDirection::out, tcp.bytes}})) << "seen once, as it was";
}

TEST_F(TransmitOffload, a_link_without_udp_segments_gets_tcp_whole_and_udp_cut) {
  wire().caps.offload = {.csum = true, .tso4 = true, .tso6 = true};
  Ifnet& ifp = running();
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  ASSERT_EQ(send(ifp, super(ifp, {.ipv6 = true, .udp = true})), 0);
  ASSERT_EQ(wire().sent.size(), 4U);
  EXPECT_EQ(wire().sent_offload[0], super(ifp).offload);
  wire().sent.erase(wire().sent.begin());
  wire().sent_offload.erase(wire().sent_offload.begin());
  expect_segments(4000);
}

TEST_F(TransmitOffload, an_open_checksum_is_finished_where_the_link_does_not) {
  Ifnet& ifp = running();
  ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 1000, .gso_size = 0}), {33, 18, 1}), 0);
  ASSERT_EQ(send(ifp, {numbered(ifp, 1), {.flags = Offload::kDataValid}}), 0);
  EXPECT_EQ(wire().sent.back(), numbered(ifp, 1)) << "a checksum verified on the way in is nothing left to do";
  wire().sent.pop_back();
  expect_segments(1000);
}

TEST_F(TransmitOffload, remembers_how_far_it_came_when_the_link_is_full) {
  Ifnet& ifp = running();
  wire().send_answers = {{5, SendStatus::would_block},
                         {0, SendStatus::would_block},
                         {40, SendStatus::would_block},
                         {3, SendStatus::would_block}};
  ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 60'000})), 0);
  ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
  for (const std::size_t sent : {5U, 5U, 35U}) {  // a burst is 32, of which 27 were left
    EXPECT_EQ(wire().sent.size(), sent);
    EXPECT_EQ(ifp.counters.read().osegments, sent);
    EXPECT_EQ(ifp.counters.read().opackets, sent);
    EXPECT_EQ(ifp.counters.read().offered(), 0U);
    EXPECT_EQ(ifp.snd.size(), 2U);
    EXPECT_TRUE(ifp.is(IFF_OACTIVE));
    wire().writable();
    host.settle();
  }
  EXPECT_EQ(ifp.counters.read().offered(), 2U);
  EXPECT_EQ(ifp.counters.read().osegments, 43U);
  ASSERT_EQ(wire().sent.size(), 43U);
  EXPECT_EQ(wire().sent.back(), numbered(ifp, 1));
  wire().sent.pop_back();
  expect_segments(60'000);
}

TEST_F(TransmitOffload, a_link_of_one_piece_gets_one) {
  wire().caps.slices_max = 1;
  Ifnet& ifp = running();
  ASSERT_EQ(send(ifp, super(ifp, {.ipv6 = true, .payload_bytes = 60'000, .gso_size = 1428, .tags = 1}), {3, 300}), 0);
  EXPECT_EQ(wire().sent_slices, std::vector<std::size_t>(43, 1));
  expect_segments(60'000);
  EXPECT_EQ(ifp.counters.read().linearised, 43U);
}

TEST_F(TransmitOffload, a_segment_in_more_pieces_than_the_link_takes_is_gathered) {
  wire().caps.slices_max = 4;
  Ifnet& ifp = running();
  std::vector<std::size_t> pieces(9, 400);
  ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 6000, .gso_size = 1000}), pieces), 0);
  expect_segments(6000);
  for (const std::size_t slices : wire().sent_slices) EXPECT_LE(slices, 4U);
  EXPECT_GT(ifp.counters.read().linearised, 0U);
  EXPECT_LT(ifp.counters.read().linearised, 6U) << "the last are one piece each";
}

TEST_F(TransmitOffload, segments_fill_a_burst_as_far_as_its_slices_go) {
  wire().caps.slices_max = UINT16_MAX;
  Ifnet& ifp = running();
  std::vector<std::size_t> pieces(30, 60);
  ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 2000, .gso_size = 600}), pieces), 0);
  expect_segments(2000);
  EXPECT_EQ(ifp.counters.read().linearised, 0U);
}

TEST_F(TransmitOffload, short_segments_are_padded) {
  for (const std::uint16_t slices_max : {std::uint16_t{1}, std::uint16_t{8}}) {
    wire().caps.frame_bytes_min = 60;
    wire().caps.slices_max = slices_max;
    const std::string name = "virt" + std::to_string(slices_max);
    Ifnet& ifp = create(name);
    ASSERT_EQ(link(ifp, "sim:w"), 0);
    ASSERT_EQ(up(ifp), 0);
    ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 11, .gso_size = 5, .tcp_option_bytes = 0})), 0);
    ASSERT_EQ(wire().sent.size(), 3U);
    for (const Frame& sent : wire().sent) EXPECT_EQ(sent.size(), 60U);
    expect_segments(11);
    EXPECT_EQ(WireSegment(wire().sent.back()).end, 55U);
    EXPECT_EQ(wire().sent.back().back(), std::byte{0});
    wire().sent.clear();
    wire().sent_offload.clear();
    ASSERT_EQ(destroy(name), 0);
    host.settle();
  }
}

TEST_F(TransmitOffload, a_tag_kept_beside_the_bytes_is_in_every_segment) {
  Ifnet& ifp = running();
  const SuperFrame plain = super(ifp);
  MbufPtr packet = chain(plain.bytes);
  packet->pkthdr.offload = plain.offload;
  packet->pkthdr.flags |= M_VLANTAG;
  packet->pkthdr.vlan_tci = 86;
  ASSERT_TRUE(ifp.transmit(std::move(packet)));
  ASSERT_EQ(wire().sent.size(), 3U);
  for (const Frame& sent : wire().sent) EXPECT_EQ(vif::load_be32(&sent[12]), 0x8100'0056U);
  expect_segments(4000);
}

TEST_F(TransmitOffload, a_segment_too_large_for_the_link_costs_the_rest) {
  Ifnet& ifp = running();
  wire().send_answers = {{1, SendStatus::message_size}};
  ASSERT_EQ(send(ifp, super(ifp, {.payload_bytes = 6000})), 0);
  ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
  ASSERT_EQ(wire().sent.size(), 2U);
  EXPECT_EQ(wire().sent.back(), numbered(ifp, 1)) << "and nothing of the next";
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::tx_too_long), 1U);
  EXPECT_EQ(data.opackets, 2U) << "what went out went out";
  EXPECT_EQ(data.osegments, 2U);
  EXPECT_EQ(data.offered(), 2U);
}

TEST_F(TransmitOffload, segments_above_the_mtu_are_not_begun) {
  Ifnet& ifp = running();
  ASSERT_EQ(send(ifp, super(ifp, {.gso_size = 1449})), 0);
  EXPECT_TRUE(wire().sent.empty());
  EXPECT_EQ(dropped(ifp, DropReason::tx_too_long), 1U);
  ASSERT_EQ(send(ifp, super(ifp, {.tags = 1})), 0);
  EXPECT_EQ(wire().sent.size(), 3U) << "a tag is extra";
}

TEST_F(TransmitOffload, a_link_that_goes_down_or_away_takes_what_was_begun_with_it) {
  Ifnet& ifp = running();
  wire().send_answers = {{1, SendStatus::network_down}};
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 1U);
  ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
  EXPECT_EQ(wire().sent.back(), numbered(ifp, 1));

  wire().send_answers = {{1, SendStatus::would_block}};
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(dropped(ifp, DropReason::tx_down), 2U);
  ASSERT_EQ(up(ifp), 0);
  wire().sent.clear();
  wire().sent_offload.clear();
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  expect_segments(4000);

  wire().send_answers = {{1, SendStatus::would_block}};
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  EXPECT_EQ(destroy("virt0"), 0);
  host.settle();
  EXPECT_EQ(domain.pool().in_use(), 0U);
}

TEST_F(TransmitOffload, what_cannot_be_done_is_dropped_and_counted_and_does_not_hold_up_others) {
  for (const bool takes_all : {false, true}) {
    wire().caps.offload = takes_all ? OffloadSet::all() : OffloadSet{};
    const std::string name = takes_all ? "virt1" : "virt0";
    Ifnet& ifp = create(name);
    ASSERT_EQ(link(ifp, "sim:w"), 0);
    ASSERT_EQ(up(ifp), 0);
    wire().send_answers = {{0, SendStatus::would_block}};
    ASSERT_EQ(transmit(ifp, numbered(ifp, 1)), 0);
    SuperFrame unknown = super(ifp);
    unknown.offload.gso_type = 3;  // UDP fragments, which nobody does any more
    ASSERT_EQ(send(ifp, unknown), 0);
    ASSERT_EQ(send(ifp, {numbered(ifp, 2), {.flags = Offload::kNeedsChecksum, .csum_start = 59}}), 0);
    ASSERT_EQ(transmit(ifp, numbered(ifp, 3)), 0);
    wire().writable();
    host.settle();
    std::erase(wire().sent, numbered(ifp, 2));  // given on as it is where the link would do it
    EXPECT_EQ(wire().sent, (std::vector{numbered(ifp, 1), numbered(ifp, 3)}));
    EXPECT_EQ(dropped(ifp, DropReason::tx_offload), takes_all ? 1U : 2U);
    wire().sent.clear();
    ASSERT_EQ(destroy(name), 0);
    host.settle();
  }
}

TEST_F(TransmitOffload, a_tap_that_sends_or_destroys_while_a_super_frame_ends_is_served) {
  Ifnet& ifp = running();
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::out);
  tap.then = [&, sends = 1]() mutable {
    if (sends-- > 0) EXPECT_EQ(send(ifp, super(ifp)), 0);
    else EXPECT_EQ(destroy("virt0"), 0);
  };
  ASSERT_EQ(send(ifp, super(ifp)), 0);
  tap.then = {};
  EXPECT_EQ(wire().sent.size(), 6U);
  host.settle();
  EXPECT_FALSE(wire().open);
}

}  // namespace
