// SPDX-License-Identifier: BSD-2-Clause
// One packet down: the frame's bytes, and that a refusal leaves no mbuf behind.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

class EtherOutput : public testing::Test, protected OneInterface {
 protected:
  ~EtherOutput() override {
    ifp.purge(DropReason::tx_down);
    EXPECT_EQ(pool.in_use(), 0U) << "an mbuf did not come back";
  }
  int refused(MbufPtr payload) {
    const Status sent = ether_output(ifp, std::move(payload), kPeerMac, 0x0800);
    return sent ? 0 : sent.error().number();
  }
};

TEST_F(EtherOutput, writes_destination_our_address_and_type_before_the_payload) {
  ASSERT_TRUE(up());
  ASSERT_TRUE(ether_output(ifp, pool.copy_in(hex("45000014")), kPeerMac, 0x0800));
  EXPECT_EQ(driver.sent, std::vector<Frame>{hex("02005e100002 02005e100001 0800 45000014")});
}

// csum_start counts from the first byte there is.
TEST_F(EtherOutput, what_is_left_to_do_moves_with_the_header) {
  ASSERT_TRUE(up());
  const Offload done{.flags = Offload::kDataValid};
  const Offload open{.flags = Offload::kNeedsChecksum, .hdr_len = 28, .csum_start = 20, .csum_offset = 6};
  for (const Offload& offload : {done, open}) {
    MbufPtr payload = pool.copy_in(counting(46));
    payload->pkthdr.offload = offload;
    ASSERT_TRUE(ether_output(ifp, std::move(payload), kPeerMac, 0x0800));
  }
  EXPECT_EQ(driver.sent_offload[0], Offload{});
  EXPECT_EQ(driver.sent_offload[1],
            (Offload{.flags = Offload::kNeedsChecksum, .hdr_len = 42, .csum_start = 34, .csum_offset = 6}));
}

// The refusal has none, as it would be allocated; whoever shows it to people finds one.
TEST_F(EtherOutput, every_refusal_has_a_text_of_its_own) {
  const Status down = ether_output(ifp, pool.copy_in(hex("45000014")), kPeerMac, 0x0800);
  ASSERT_FALSE(down);
  EXPECT_TRUE(down.error().text.empty());
  EXPECT_NE(transmit_refusal(down.error()).find("is down"), std::string_view::npos);
  std::set<std::string_view> texts;
  for (const int number : {ENETDOWN, EINVAL, EMSGSIZE, ENOBUFS}) texts.insert(transmit_refusal(fail(number, {})));
  EXPECT_EQ(texts.size(), 4U);
}

TEST_F(EtherOutput, marks_groups) {
  ASSERT_TRUE(up());
  for (const MacAddress& dst : {kPeerMac, kGroupMac, kBroadcast}) {
    ASSERT_TRUE(ether_output(ifp, pool.copy_in(counting(46)), dst, 0x0800));
  }
  EXPECT_EQ(driver.sent_flags, (std::vector<std::uint16_t>{0, M_MCAST, M_BCAST}));
}

TEST_F(EtherOutput, finds_room_for_the_header_before_external_storage) {
  ASSERT_TRUE(up());
  Frame storage = counting(100);
  int releases = 0;
  const auto release = [](void* count, MutBytes) { ++*static_cast<int*>(count); };
  ASSERT_TRUE(ether_output(ifp, pool.attach_external(storage, release, &releases), kPeerMac, 0x0800));
  EXPECT_EQ(driver.sent, std::vector<Frame>{ether(kPeerMac, 0x0800, counting(100), kOurMac)});
  EXPECT_EQ(storage, counting(100)) << "the caller's bytes are untouched";
  EXPECT_EQ(releases, 1);
}

TEST_F(EtherOutput, refuses_while_down) {
  EXPECT_EQ(refused(pool.copy_in(counting(46))), ENETDOWN);
  EXPECT_EQ(dropped(DropReason::tx_down), 1U);
}

TEST_F(EtherOutput, refuses_more_than_the_mtu) {
  ASSERT_TRUE(up());
  EXPECT_EQ(refused(pool.copy_in(counting(1500))), 0);
  EXPECT_EQ(refused(pool.copy_in(counting(1501))), EMSGSIZE);
  EXPECT_EQ(dropped(DropReason::tx_too_long), 1U);
}

TEST_F(EtherOutput, refuses_when_the_queue_is_full) {
  ASSERT_TRUE(up());
  driver.accepts = 0;
  while (!ifp.snd.full()) ASSERT_EQ(refused(pool.copy_in(counting(46))), 0);
  EXPECT_EQ(refused(pool.copy_in(counting(46))), ENOBUFS);
  EXPECT_EQ(dropped(DropReason::queue_full), 1U);
}

TEST_F(EtherOutput, refuses_when_there_is_no_mbuf_for_the_header) {
  ASSERT_TRUE(up());
  Frame storage = counting(100);
  int releases = 0;
  const auto release = [](void* count, MutBytes) { ++*static_cast<int*>(count); };
  std::vector<MbufPtr> rest;
  while (MbufPtr m = pool.get(1)) rest.push_back(std::move(m));
  EXPECT_EQ(refused(pool.attach_external(storage, release, &releases)), ENOBUFS);
  EXPECT_EQ(dropped(DropReason::tx_no_mbuf), 1U);
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(ifp.counters.read().offered(), 1U);
}

}  // namespace
