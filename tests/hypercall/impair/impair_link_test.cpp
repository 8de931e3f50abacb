// SPDX-License-Identifier: BSD-2-Clause
// An impaired link between its interface and the wire under it: what passes through, what is counted, what happens when
// either side says no.
#include <gtest/gtest.h>

#include "hypercall/impair/impair_link.hpp"
#include "tests/hypercall/impair/impaired.hpp"

namespace {

using namespace vif;
using namespace vif::test;
using namespace std::chrono_literals;

class ImpairLink : public Impaired {
 protected:
  Status link(const std::string& linkstr) {
    if (ifp_ == nullptr) ifp_ = *interfaces.create("virt0");
    return ifp_->ioctl(net::SetLinkstr{linkstr});
  }
  drv::Virtif& driver() { return dynamic_cast<drv::Virtif&>(*interfaces.find_clone("virt0")); }

  net::Ifnet* ifp_ = nullptr;
};

// --- open ---

TEST_F(ImpairLink, passes_on_what_the_inner_link_can_and_names_its_seed) {
  wire().caps = {.frame_bytes_max = 9014,
                 .frame_bytes_min = 60,
                 .slices_max = 3,
                 .offload = {.csum = true},
                 .reflects = true,
                 .lladdr = kPeerMac,
                 .mtu_bytes = 9000,
                 .link_state = net::LinkState::down,
                 .baudrate = 1'000'000};
  ASSERT_TRUE(link("impair:[sim:w],loss=1%,seed=42"));
  const drv::LinkCaps& caps = *driver().caps();
  EXPECT_EQ(caps.frame_bytes_max, 9014U);
  EXPECT_EQ(caps.frame_bytes_min, 60U);
  EXPECT_EQ(caps.slices_max, 3U);
  EXPECT_EQ(caps.offload, (net::OffloadSet{.csum = true}));
  EXPECT_TRUE(caps.reflects);
  EXPECT_EQ(caps.lladdr, kPeerMac);
  EXPECT_EQ(caps.mtu_bytes, 9000U);
  EXPECT_EQ(caps.link_state, net::LinkState::down);
  EXPECT_EQ(caps.baudrate, 1'000'000U);
  EXPECT_EQ(driver().link_chosen(), "seed 42, over sim:");
}

TEST_F(ImpairLink, names_the_seed_that_chance_gave_it) {
  ASSERT_TRUE(link("impair:[sim:w],loss=50%"));
  EXPECT_TRUE(driver().link_chosen().starts_with("seed "));
  EXPECT_FALSE(driver().link_chosen().starts_with("seed 0,"));
}

TEST_F(ImpairLink, takes_options_inside_its_brackets) {
  ASSERT_TRUE(link("impair:[null:,rx=3,bytes=100],loss=1%25"));
  ifp_->set_input(&collected);
  ASSERT_TRUE(up(*ifp_));
  host.settle();
  EXPECT_EQ(ifp_->counters.read().received(), 3U);
}

TEST_F(ImpairLink, refuses_what_is_no_link_to_impair_and_says_why) {
  const std::pair<const char*, const char*> bad[] = {
      {"impair:", "brackets"},       {"impair:sim:w", "brackets"},      {"impair:[]", "inside impair:"},
      {"impair:[sim]", "inside"},    {"impair:[nosuch:x]", "nosuch"},   {"impair:[sim:w,x=1]", "x"},
      {"impair:[sim:w],x=1", "'x'"}, {"impair:[sim:w],loss=2", "loss"}, {"impair:[impair:sim:w]", "brackets"},
      {"impair:[sim:w]x", "after"}};
  for (const auto& [linkstr, says] : bad) {
    const Status linked = link(linkstr);
    ASSERT_FALSE(linked) << linkstr;
    EXPECT_EQ(linked.error().number(), EINVAL) << linkstr;
    EXPECT_NE(linked.error().text.find(says), std::string::npos) << linkstr << ": " << linked.error().text;
  }
  EXPECT_TRUE(wire().calls.empty()) << "nothing was opened for a string that is wrong";
}

TEST_F(ImpairLink, reports_why_the_inner_link_cannot_be_opened_or_started) {
  wire().open_error = fail(EPERM, "no");
  EXPECT_EQ(link("impair:[sim:w]").error().number(), EPERM);
  ASSERT_TRUE(link("impair:[sim:w]"));
  wire().start_error = fail(ENOBUFS, "no");
  EXPECT_EQ(up(*ifp_).error().number(), ENOBUFS);
  EXPECT_TRUE(up(*ifp_)) << "and the next time it does";
}

TEST_F(ImpairLink, may_be_nested_as_deep_as_the_grammar_allows) {
  std::string linkstr = "sim:w";
  for (int depth = 0; depth < 8; ++depth) linkstr = "impair:[" + linkstr + "],dup=100%,dir=in";
  ASSERT_TRUE(link(linkstr));
  ifp_->set_input(&collected);
  ASSERT_TRUE(ifp_->ioctl(net::SetPromisc{true}));
  ASSERT_TRUE(up(*ifp_));
  arrive(1);
  EXPECT_EQ(collected.packets.size(), 256U);
}

// --- what passes through ---

TEST_F(ImpairLink, passes_frames_and_offload_through_unchanged_both_ways) {
  wire().caps.offload = net::OffloadSet::all();
  const net::Offload offload{.flags = net::Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 16};
  for (const char* options : {"", ",loss=0.000001%,seed=1", ",dir=in,delay=1ms", ",dir=out,delay=1ms"}) {
    net::Ifnet& ifp = impaired(options);
    wire().arrive(frame(1000), offload, 77);
    net::MbufPtr packet = domain.pool().copy_in(frame(900));
    packet->pkthdr.offload = offload;
    (void)ifp.transmit(std::move(packet));
    pass(1ms);
    ASSERT_EQ(collected.packets.size(), 1U) << options;
    EXPECT_EQ(collected.packets[0].bytes.size(), 1000U);
    EXPECT_EQ(collected.packets[0].header.offload, offload);
    ASSERT_EQ(wire().sent.size(), 1U) << options;
    EXPECT_EQ(wire().sent[0].size(), 900U);
    EXPECT_EQ(wire().sent_offload[0], offload);
    collected.packets.clear();
    wire().sent.clear();
    wire().sent_offload.clear();
    ASSERT_TRUE(interfaces.destroy("virt0"));
  }
}

TEST_F(ImpairLink, passes_on_filter_carrier_losses_and_new_caps) {
  net::Ifnet& ifp = impaired(",delay=1ms");
  EXPECT_TRUE(wire().filter.promisc);
  wire().carrier(net::LinkState::down, fail(EIO, "the cable is cut"));
  wire().lose(DropReason::rx_overrun, 3);
  wire().caps.mtu_bytes = 1400;
  wire().recapped();
  host.settle();
  EXPECT_EQ(ifp.link_state(), net::LinkState::down);
  EXPECT_EQ(link_error(), "the cable is cut");
  EXPECT_EQ(dropped(ifp, DropReason::rx_overrun), 3U);
  EXPECT_EQ(ifp.mtu_bytes(), 1400U);
}

TEST_F(ImpairLink, asks_the_inner_link_whether_it_may_go) {
  wire().may_refuse_dying = true;
  wire().dying_error = fail(EBUSY, "in use");
  impaired(",loss=1%");
  EXPECT_EQ(interfaces.destroy("virt0").error().number(), EBUSY);
  wire().dying_error.reset();
  EXPECT_TRUE(interfaces.destroy("virt0"));
}

// --- full, blocked, refused ---

TEST_F(ImpairLink, drops_and_counts_what_does_not_fit_its_limit) {
  net::Ifnet& ifp = impaired(",delay=1s,limit=10");
  arrive(15);
  transmit(ifp, 12);
  pass(1s);
  EXPECT_EQ(collected.packets.size(), 10U);
  EXPECT_EQ(wire().sent.size(), 10U);
  const net::IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::rx_impaired), 5U);
  EXPECT_EQ(data.received(), 15U);
  EXPECT_EQ(data.dropped(DropReason::tx_impaired), 2U);
  EXPECT_EQ(data.opackets, 10U);
  EXPECT_EQ(data.offered(), 12U);
}

TEST_F(ImpairLink, drops_what_comes_faster_than_its_rate_and_has_no_room) {
  const net::Ifnet& ifp = impaired(",rate=10mbit,limit=5");
  arrive(8, 1250);
  pass(1s);
  EXPECT_EQ(stamps(), (std::vector<Time>{1ms, 2ms, 3ms, 4ms, 5ms}));
  EXPECT_EQ(dropped(ifp, DropReason::rx_impaired), 3U);
}

// A duplicate that comes to nothing is missed by nobody, so it is not counted.
TEST_F(ImpairLink, counts_only_what_was_offered) {
  net::Ifnet& ifp = impaired(",dup=100%,delay=1s,limit=11");
  transmit(ifp, 10);
  arrive(10);
  pass(1s);
  EXPECT_EQ(wire().sent.size(), 11U);
  net::IfData data = ifp.counters.read();
  EXPECT_EQ(data.opackets + data.dropped(DropReason::tx_impaired), 10U);
  EXPECT_EQ(data.ipackets, 11U) << "the doubles are received";
  transmit(ifp, 3);  // three and their doubles, when it goes down
  ASSERT_TRUE(down(ifp));
  data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::tx_error), 3U);
  EXPECT_EQ(data.offered(), 13U);
}

TEST_F(ImpairLink, keeps_what_the_inner_link_does_not_take_and_pushes_back) {
  net::Ifnet& ifp = impaired(",delay=1ms");
  wire().send_answers.push_back({3, drv::SendStatus::would_block});
  transmit(ifp, 10);
  pass(1ms);
  EXPECT_EQ(wire().sent.size(), 3U);
  transmit(ifp, 5);
  EXPECT_TRUE(ifp.is(net::IFF_OACTIVE));
  EXPECT_EQ(ifp.snd.size(), 5U) << "not taken while blocked";
  wire().writable();
  host.settle();
  EXPECT_EQ(wire().sent.size(), 10U);
  EXPECT_EQ(ifp.snd.size(), 0U);
  pass(1ms);
  ASSERT_EQ(wire().sent.size(), 15U);
  for (std::uint32_t i = 0; i < 15; ++i) EXPECT_EQ(load_be32(wire().sent[i].data() + 56), i) << "in order";
}

TEST_F(ImpairLink, counts_as_failed_what_the_inner_link_refuses_late) {
  net::Ifnet& ifp = impaired(",delay=1ms");
  transmit(ifp, 10);
  wire().send_answers.push_back({2, drv::SendStatus::message_size});
  wire().send_answers.push_back({4, drv::SendStatus::network_down});
  pass(1ms);
  EXPECT_EQ(wire().sent.size(), 6U);
  EXPECT_EQ(dropped(ifp, DropReason::tx_error), 4U);
  EXPECT_EQ(ifp.counters.read().opackets, 6U);
  EXPECT_EQ(ifp.counters.read().offered(), 10U);
}

// As uring: does, whose largest frame is without the tag.
TEST_F(ImpairLink, leaves_it_to_the_inner_link_whether_a_tag_comes_on_top) {
  net::Ifnet& ifp = impaired(",delay=1ms");
  wire().caps.frame_bytes_max = 1514;
  wire().recapped();
  host.settle();
  wire().send_answers.push_back({1, drv::SendStatus::ok});
  for (int i = 0; i < 2; ++i) {
    (void)ifp.transmit(domain.pool().copy_in(tagged(frame(1514), 5)));
    pass(1ms);
  }
  EXPECT_EQ(wire().sent.size(), 1U) << "and the other one it refused";
  EXPECT_EQ(dropped(ifp, DropReason::tx_too_long), 0U);
  EXPECT_EQ(dropped(ifp, DropReason::tx_error), 1U);
  EXPECT_EQ(ifp.counters.read().offered(), 2U);
}

// Else the inner link would make the checksum of the damaged bytes, and nobody would notice.
TEST_F(ImpairLink, finishes_a_checksum_before_it_damages_the_frame) {
  wire().caps.offload = net::OffloadSet::all();
  net::Ifnet& ifp = impaired(",corrupt=100%,dir=out");
  net::MbufPtr packet = domain.pool().copy_in(frame(100));
  packet->pkthdr.offload = {.flags = net::Offload::kNeedsChecksum, .csum_start = 34, .csum_offset = 16};
  (void)ifp.transmit(std::move(packet));
  host.settle();
  ASSERT_EQ(wire().sent.size(), 1U);
  EXPECT_EQ(wire().sent_offload[0], net::Offload{});
}

TEST_F(ImpairLink, damages_a_frame_without_a_byte_no_further) {
  const net::Ifnet& ifp = impaired(",corrupt=100%,dup=100%");
  wire().arrive({});
  host.settle();
  EXPECT_EQ(dropped(ifp, DropReason::too_short), 2U);
}

// --- stop ---

TEST_F(ImpairLink, reports_what_was_still_on_its_way_when_it_stops) {
  net::Ifnet& ifp = impaired(",delay=1s");
  arrive(4);
  transmit(ifp, 3);
  ASSERT_TRUE(down(ifp));
  const net::IfData data = ifp.counters.read();
  EXPECT_EQ(data.dropped(DropReason::not_running), 4U);
  EXPECT_EQ(data.received(), 4U);
  EXPECT_EQ(data.dropped(DropReason::tx_error), 3U);
  EXPECT_EQ(data.offered(), 3U);
  EXPECT_EQ(domain.next_deadline(), std::nullopt);
  pass(2s);
  EXPECT_TRUE(collected.packets.empty());
  EXPECT_TRUE(wire().sent.empty());
  ASSERT_TRUE(up(ifp));
  arrive(1);
  pass(1s);
  EXPECT_EQ(collected.packets.size(), 1U);
}

TEST_F(ImpairLink, may_be_destroyed_with_frames_on_their_way) {
  net::Ifnet& ifp = impaired(",delay=1s,jitter=1ms");
  arrive(4);
  transmit(ifp, 3);
  EXPECT_TRUE(interfaces.destroy("virt0"));
  pass(2s);
}

}  // namespace
