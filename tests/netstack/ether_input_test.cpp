// SPDX-License-Identifier: BSD-2-Clause
// One frame up: which protocol gets it, with which bytes, or which counter - however the frame is cut into mbufs.
#include <gtest/gtest.h>

#include "tests/support/one_interface.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806;
constexpr std::uint8_t kLlcStp = 0x42, kLlcSnap = 0xaa;

class EtherInput : public testing::Test, protected OneInterface {
 protected:
  EtherInput() {
    listen(ether_type_key(kIpv4), ipv4);
    listen(ether_type_key(kArp), arp);
    listen(llc_key(kLlcStp), stp);
  }
  ~EtherInput() override { EXPECT_EQ(pool.in_use(), 0U) << "an mbuf did not come back"; }

  void listen(EtherKey key, RecordingProtocol& protocol) { ASSERT_TRUE(domain.demux().attach(key, protocol)); }

  // Shows the frame whole, then cut into single bytes, then into pieces that split each header; all must be the same.
  // What `protocol` got, or nullopt when nobody got anything.
  std::optional<RecordingProtocol::Got> only(const RecordingProtocol& protocol, const Frame& frame) {
    for (const std::size_t piece : {frame.size() + 1, std::size_t{1}, std::size_t{13}}) {
      ether_input(ifp, chain(pool, frame, piece));
    }
    std::size_t got = 0;
    for (const RecordingProtocol* each : {&ipv4, &arp, &stp, &vlan, &snap}) got += each->got.size();
    if (got == 0) return std::nullopt;
    EXPECT_EQ(got, 3U);
    if (protocol.got.size() != 3) {
      ADD_FAILURE() << "another protocol got it";
      return std::nullopt;
    }
    for (const auto& each : protocol.got) {
      EXPECT_EQ(each.payload, protocol.got[0].payload);
      EXPECT_EQ(each.header.type, protocol.got[0].header.type);
      EXPECT_EQ(each.flags, protocol.got[0].flags);
      EXPECT_EQ(each.vlan_tci, protocol.got[0].vlan_tci);
    }
    return protocol.got[0];
  }

  // How the frame is dropped, each of the three times.
  void expect_drop(DropReason reason, const Frame& frame) {
    const std::uint64_t before = dropped(reason);
    EXPECT_FALSE(only(ipv4, frame));
    EXPECT_EQ(dropped(reason), before + 3) << name(reason);
  }

  RecordingProtocol ipv4, arp, stp, vlan, snap;
};

TEST_F(EtherInput, gives_a_frame_to_the_protocol_of_its_type_without_the_header) {
  const auto got = only(arp, arp_request());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->header.dst, kBroadcast);
  EXPECT_EQ(got->header.src, kPeerMac);
  EXPECT_EQ(got->header.type, kArp);
  EXPECT_EQ(got->payload.size(), 28U);
  EXPECT_EQ(got->payload[1], std::byte{1});
}

TEST_F(EtherInput, keeps_the_padding_of_typed_frames_whose_length_only_the_protocol_knows) {
  const auto got = only(arp, arp_request() + Frame(18));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload.size(), 46U);
}

TEST_F(EtherInput, drops_types_nobody_registered_for) {
  expect_drop(DropReason::unknown_type, ether(kOurMac, 0x88cc, counting(46)));
  expect_drop(DropReason::unknown_type, ether(kOurMac, 0xffff, {}));
}

TEST_F(EtherInput, asks_the_interface_s_own_protocols_before_the_domain_s) {
  EtherDemux own;
  ASSERT_TRUE(own.attach(ether_type_key(kIpv4), snap));
  ifp.set_demux(&own);
  ether_input(ifp, pool.copy_in(ether(kOurMac, kIpv4, hex("45"))));
  ether_input(ifp, pool.copy_in(arp_request()));
  ifp.set_demux(nullptr);
  ether_input(ifp, pool.copy_in(ether(kOurMac, kIpv4, hex("46"))));
  EXPECT_EQ(snap.got.size(), 1U);
  EXPECT_EQ(arp.got.size(), 1U);
  EXPECT_EQ(ipv4.got.size(), 1U);
}

TEST_F(EtherInput, passes_a_frame_that_is_only_a_header) {
  const auto got = only(ipv4, ether(kOurMac, kIpv4, {}));
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->payload.empty());
}

TEST_F(EtherInput, drops_less_than_a_header) {
  for (const std::size_t bytes : {0U, 1U, 13U}) {
    ether_input(ifp, pool.copy_in(Frame(bytes)));
  }
  EXPECT_EQ(dropped(DropReason::bad_length), 3U);
}

TEST_F(EtherInput, keeps_promiscuous_frames_from_protocols) {
  MbufPtr m = pool.copy_in(ether(kPeerMac, kIpv4, counting(46)));
  m->pkthdr.flags |= M_PROMISC;
  ether_input(ifp, std::move(m));
  EXPECT_TRUE(ipv4.got.empty());
  EXPECT_EQ(dropped(DropReason::promisc_only), 1U);
}

// --- 802.1Q ---

TEST_F(EtherInput, gives_a_vlan_frame_to_the_vlan_protocol_with_the_tag_beside_it) {
  listen(ether_type_key(kEtherTypeVlan), vlan);
  const auto got = only(vlan, tagged(ether(kOurMac, kIpv4, counting(46)), 0x6005));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->header.type, kIpv4) << "the type behind the tag";
  EXPECT_EQ(got->payload, counting(46));
  EXPECT_EQ(got->vlan_tci, 0x6005);
  EXPECT_NE(got->flags & M_VLANTAG, 0);
}

TEST_F(EtherInput, drops_a_vlan_frame_when_there_are_no_vlans) {
  expect_drop(DropReason::unknown_type, tagged(ether(kOurMac, kIpv4, counting(46)), 5));
}

// 802.1Q, 6.9.1: VLAN id 0 only carries a priority.
TEST_F(EtherInput, sees_through_a_priority_tag) {
  const auto got = only(ipv4, tagged(ether(kOurMac, kIpv4, counting(46)), 0xe000));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload, counting(46));
  EXPECT_EQ(got->vlan_tci, 0xe000);
}

TEST_F(EtherInput, takes_a_tag_the_driver_kept_beside_the_bytes) {
  listen(ether_type_key(kEtherTypeVlan), vlan);
  MbufPtr m = pool.copy_in(ether(kOurMac, kIpv4, counting(46)));
  m->pkthdr.flags |= M_VLANTAG;
  m->pkthdr.vlan_tci = 7;
  ether_input(ifp, std::move(m));
  ASSERT_EQ(vlan.got.size(), 1U);
  EXPECT_EQ(vlan.got[0].payload, counting(46));
}

TEST_F(EtherInput, drops_a_frame_that_ends_inside_its_tag) {
  const Frame whole = tagged(ether(kOurMac, kIpv4, {}), 0);
  for (std::size_t bytes = 14; bytes < 18; ++bytes) {
    expect_drop(DropReason::bad_length, Frame(whole.begin(), whole.begin() + static_cast<long>(bytes)));
  }
  EXPECT_TRUE(only(ipv4, whole));
}

TEST_F(EtherInput, leaves_service_tags_to_whoever_registers_for_them) {
  expect_drop(DropReason::unknown_type, tagged(ether(kOurMac, kIpv4, counting(46)), 5, kEtherTypeQinq));
}

// --- 802.3 and LLC ---

TEST_F(EtherInput, gives_llc_frames_to_the_protocol_of_their_address_without_padding) {
  const auto got = only(stp, bpdu());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload.size(), 35U) << "38 bytes of LLC, 3 of them its header";
}

TEST_F(EtherInput, reads_snap_as_the_ether_type_it_carries) {
  const Frame snap_ip = hex("aaaa03 000000 0800") + counting(20);
  const auto got = only(ipv4, ether(kOurMac, 28, snap_ip + Frame(18)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload, counting(20));
  EXPECT_EQ(got->header.type, kIpv4);
}

// RFC 1042 means OUI 00-00-00 only: with Cisco's, 0x0800 is not IP.
TEST_F(EtherInput, does_not_take_another_organisations_snap_for_an_ether_type) {
  const Frame foreign = ether(kOurMac, 28, hex("aaaa03 00000c 0800") + counting(20));
  expect_drop(DropReason::unknown_type, foreign);
  listen(llc_key(kLlcSnap), snap);
  const auto got = only(snap, foreign);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload, hex("00000c 0800") + counting(20)) << "with the OUI, which says what it is";
}

TEST_F(EtherInput, reads_llc_behind_a_priority_tag) {
  const auto got = only(stp, tagged(bpdu(), 0xe000));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload.size(), 35U);
}

TEST_F(EtherInput, drops_802_3_frames_shorter_than_they_say) {
  const Frame llc = hex("42 42 03");
  expect_drop(DropReason::bad_length, ether(kOurMac, 4, llc));
  expect_drop(DropReason::bad_length, ether(kOurMac, 0x05ff, llc));
  expect_drop(DropReason::bad_length, ether(kOurMac, 1, hex("42")));
  for (std::uint16_t length = 0; length < 3; ++length) expect_drop(DropReason::bad_length, ether(kOurMac, length, llc));
  for (std::uint16_t length = 3; length < 8; ++length) {
    expect_drop(DropReason::bad_length, ether(kOurMac, length, hex("aaaa03 000000 0800")));
  }
  EXPECT_TRUE(only(stp, ether(kOurMac, 3, llc)));
}

TEST_F(EtherInput, treats_0x0600_as_a_type_and_what_is_below_as_a_length) {
  RecordingProtocol xns;
  listen(ether_type_key(kEtherTypeMin), xns);
  ether_input(ifp, pool.copy_in(ether(kOurMac, 0x0600, counting(10))));
  EXPECT_EQ(xns.got.size(), 1U);
  ether_input(ifp, pool.copy_in(ether(kOurMac, 0x05ff, counting(10))));
  EXPECT_EQ(dropped(DropReason::bad_length), 1U);
}

// Else the answer to a frame would depend on how it was cut and on how full the pool is.
TEST_F(EtherInput, needs_no_mbuf_to_read_headers) {
  const Frame frames[] = {arp_request(), bpdu(), tagged(ether(kOurMac, kIpv4, counting(46)), 0)};
  std::vector<MbufPtr> cut, rest;
  for (const Frame& frame : frames) cut.push_back(chain(pool, frame, 1));
  while (MbufPtr m = pool.get(1)) rest.push_back(std::move(m));
  for (MbufPtr& m : cut) ether_input(ifp, std::move(m));
  EXPECT_EQ(arp.got.size(), 1U);
  EXPECT_EQ(stp.got.size(), 1U);
  EXPECT_EQ(ipv4.got.size(), 1U);
}

// --- the table ---

TEST_F(EtherInput, has_one_protocol_a_key) {
  RecordingProtocol other;
  EXPECT_EQ(domain.demux().attach(ether_type_key(kIpv4), other).error().number(), EEXIST);
  EXPECT_EQ(domain.demux().attach(llc_key(kLlcStp), other).error().number(), EEXIST);
  EXPECT_TRUE(domain.demux().attach(ether_type_key(kLlcStp), other))
      << "an EtherType of the same number is another key";
  domain.demux().detach(ether_type_key(kIpv4));
  EXPECT_TRUE(domain.demux().attach(ether_type_key(kIpv4), other));
}

// csum_start counts from the first byte there is.
TEST_F(EtherInput, what_is_left_to_do_moves_with_the_headers) {
  const auto input = [&](const Frame& frame, std::uint16_t csum_start) {
    MbufPtr m = pool.copy_in(frame);
    m->pkthdr.offload = {.flags = Offload::kNeedsChecksum, .hdr_len = 42, .csum_start = csum_start, .csum_offset = 6};
    ether_input(ifp, std::move(m));
  };
  const Frame plain = ether(kOurMac, kIpv4, counting(46));
  input(plain, 34);
  input(tagged(plain, 0), 38);
  ASSERT_EQ(ipv4.got.size(), 2U);
  for (const auto& got : ipv4.got) EXPECT_EQ(got.offload.csum_start, 20);
  EXPECT_EQ(ipv4.got[0].offload.hdr_len, 28);

  input(plain, 13);
  input(tagged(plain, 0), 17);
  EXPECT_EQ(ipv4.got.size(), 2U);
  EXPECT_EQ(dropped(DropReason::bad_length), 2U) << "a checksum over a header that is gone";
}

}  // namespace
