// SPDX-License-Identifier: BSD-2-Clause
// The defects of NetBSD's if_virt.c 1.52 on the way out, by their numbers: what the driver does instead.
#include <algorithm>

#include "tests/virtif/rig.hpp"

namespace {

using namespace rig;
using vif::drv::SendStatus;

// 7: a frame of more than 32 pieces panicked.
using Defect07 = Rig;
TEST_F(Defect07, a_frame_in_more_pieces_than_the_backend_takes_is_copied_into_one_and_counted) {
  Ifnet& ifp = running();
  const Frame whole = frame(kPeer, ifp.lladdr(), 300);
  const auto in_pieces = [&](std::size_t count) {
    std::vector<std::size_t> pieces(count - 1, 1);  // and the rest
    pieces[0] = kEtherHeaderBytes;
    return transmit(ifp, whole, pieces);
  };
  EXPECT_EQ(in_pieces(32), 0);
  EXPECT_EQ(ifp.counters.read().linearised, 0U) << "32 pieces are what this wire takes";
  EXPECT_EQ(in_pieces(33), 0);
  EXPECT_EQ(in_pieces(280), 0);
  EXPECT_EQ(ifp.counters.read().linearised, 2U);
  EXPECT_EQ(wire().sent, std::vector<Frame>(3, whole));
  EXPECT_EQ(wire().sent_slices, (std::vector<std::size_t>{32, 1, 1}));
}

// 16: what the backend did with a frame was never asked: refused ones counted as sent.
using Defect16 = Rig;
TEST_F(Defect16, what_the_backend_cannot_take_yet_stays_queued) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 60, 1)), 0);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 60, 2)), 0);
  EXPECT_EQ(ifp.counters.read().opackets, 0U);
  EXPECT_TRUE(ifp.is(IFF_OACTIVE));
  EXPECT_EQ(wire().send_calls, 1U) << "a backend that said no is not asked again until it is writable";
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent, (std::vector{frame(kPeer, ifp.lladdr(), 60, 1), frame(kPeer, ifp.lladdr(), 60, 2)}));
  EXPECT_EQ(ifp.counters.read().opackets, 2U);
  EXPECT_FALSE(ifp.is(IFF_OACTIVE));
}

TEST_F(Defect16, what_it_will_never_take_is_an_error) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::message_size}, {0, SendStatus::network_down}};
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  wire().lose(DropReason::tx_error, 1);
  host.settle();
  const IfData data = ifp.counters.read();
  EXPECT_EQ(data.opackets, 0U);
  EXPECT_EQ(data.oerrors, 3U);
  EXPECT_EQ(data.dropped(DropReason::tx_too_long), 1U);
  EXPECT_EQ(data.dropped(DropReason::tx_down), 1U);
  EXPECT_EQ(data.dropped(DropReason::tx_error), 1U);
}

// 18: a frame queued between the last look into the queue and the clearing of OACTIVE waited for the next one. Here the
// only way to queue in that moment is from a tap.
using Defect18 = Rig;
TEST_F(Defect18, a_frame_queued_while_the_last_one_is_sent_does_not_wait) {
  Ifnet& ifp = running();
  Tapped tap;
  const auto id = ifp.taps.attach(tap, {}, BpfDirections::out);
  tap.then = [&] {
    if (tap.frames.size() < 3) transmit(ifp, frame(kPeer, ifp.lladdr()));
  };
  EXPECT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(wire().sent.size(), 3U);
  ifp.taps.detach(id);
}

TEST_F(Defect18, nor_one_that_waits_for_a_backend_that_became_writable_meanwhile) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  wire().writable();
  EXPECT_FALSE(domain.may_sleep()) << "the owner of the domain may not sleep over it";
  host.settle();
  EXPECT_EQ(wire().sent.size(), 1U);
  EXPECT_TRUE(domain.may_sleep());
}

// 19: flags were changed by several threads. One owner changes them now, and they agree with what the driver does.
using Defect19 = Rig;
TEST_F(Defect19, the_flags_of_a_stopped_interface_say_so) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_TRUE(ifp.is(IFF_OACTIVE));
  ASSERT_EQ(down(ifp), 0);
  EXPECT_EQ(ifp.flags() & (IFF_UP | IFF_RUNNING | IFF_OACTIVE), 0U);
}

// 30: one frame a hypercall.
using Defect30 = Rig;
TEST_F(Defect30, what_is_queued_goes_out_in_bursts) {
  Ifnet& ifp = running();
  wire().send_answers = {{0, SendStatus::would_block}};
  for (unsigned i = 0; i < 100; ++i) ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr(), 60, i)), 0);
  wire().send_calls = 0;
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent.size(), 100U);
  EXPECT_EQ(wire().send_calls, 4U) << "bursts of 32";
}

// 33, documented behaviour: a tap sees a frame after the backend took it, so a capture shows the wire.
using Defect33 = Rig;
TEST_F(Defect33, a_tap_sees_a_frame_once_the_backend_took_it) {
  Ifnet& ifp = running();
  Tapped tap;
  ifp.taps.attach(tap, {}, BpfDirections::both);
  std::size_t sent_when_tapped = 0;
  tap.then = [&] { sent_when_tapped = wire().sent.size(); };
  wire().send_answers = {{0, SendStatus::would_block}, {0, SendStatus::network_down}};
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_TRUE(tap.frames.empty());
  wire().writable();
  host.settle();
  EXPECT_TRUE(tap.frames.empty()) << "a refused frame is not on the wire";
  ASSERT_EQ(transmit(ifp, frame(kPeer, ifp.lladdr())), 0);
  EXPECT_EQ(tap.frames.size(), 1U);
  EXPECT_EQ(sent_when_tapped, 1U);
}

// 34: short frames went out unpadded.
using Defect34 = Rig;
TEST_F(Defect34, a_short_frame_is_padded_with_zeros_for_a_backend_that_wants_it) {
  wire().caps.frame_bytes_min = 60;
  Ifnet& ifp = running();
  const Frame arp = frame(kPeer, ifp.lladdr(), 42);
  ASSERT_EQ(transmit(ifp, arp), 0);
  ASSERT_EQ(transmit(ifp, arp, {14}), 0);
  Frame padded = arp;
  padded.resize(60);
  EXPECT_EQ(wire().sent, std::vector<Frame>(2, padded));
  EXPECT_EQ(ifp.counters.read().obytes, 120U);
}

TEST_F(Defect34, and_left_alone_for_one_that_does_not) {
  Ifnet& ifp = running();
  const Frame arp = frame(kPeer, ifp.lladdr(), 42);
  ASSERT_EQ(transmit(ifp, arp), 0);
  EXPECT_EQ(wire().sent, std::vector<Frame>(1, arp));
}

}  // namespace
