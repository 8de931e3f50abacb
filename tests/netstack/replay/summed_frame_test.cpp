// SPDX-License-Identifier: BSD-2-Clause
// Addresses that move, and the checksums over them, where a pseudo-header is not what the IP header says.
// Mutants: the address in the IP header counts, whatever stands behind it; the last segment is the first that is
// listed.
#include "netstack/replay/summed_frame.hpp"

#include <gtest/gtest.h>

#include "netstack/replay/frame_fitter.hpp"
#include "netstack/replay/frame_mask.hpp"
#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

constexpr std::size_t kIp6At = 14, kRoutingAt = kIp6At + 40;
const Frame kFrom = hex("20010db8000000000000000000000001"), kVia = hex("20010db8000000000000000000000005"),
            kTo = hex("20010db8000000000000000000000009");
const char* const kMoveVia = "ip:2001:db8::5=2001:db8::7";
const char* const kMoveAll = "ip:2001:db8::/32=2001:dbb::/32";

Frame part(const Frame& frame, std::size_t at, std::size_t bytes) {
  const Bytes taken = Bytes(frame).subspan(at, bytes);
  return {taken.begin(), taken.end()};
}
bool sum_is_right(const Frame& frame, const Frame& addresses, std::uint8_t protocol, std::size_t at) {
  const Bytes transport = Bytes(frame).subspan(at);
  return plain_sum(transport, super_frames::pseudo_sum(addresses, protocol, transport.size())) == 0xffff;
}
// With the checksum at `field` made right for a packet between `addresses`.
Frame summed(Frame transport, std::uint8_t protocol, std::size_t field, const Frame& addresses) {
  store_be16(transport.data() + field, 0);
  const std::uint16_t sum = plain_sum(transport, super_frames::pseudo_sum(addresses, protocol, transport.size()));
  store_be16(transport.data() + field, static_cast<std::uint16_t>(~sum));
  return transport;
}
Frame ip6(std::uint8_t protocol, const Frame& to, const Frame& behind) {
  Frame ip = hex("60000000 0000 00 40") + kFrom + to;
  store_be16(ip.data() + 4, static_cast<std::uint16_t>(behind.size()));
  ip[6] = std::byte{protocol};
  return ether(kOurMac, 0x86dd, ip + behind);
}
// UDP that is on its way over kVia, and was sent to `to`.
Frame routed(const Frame& routing, const Frame& to) {
  return ip6(43, kVia, routing + summed(hex("03e8 07d0 000c 0000 64617461"), 17, 6, kFrom + to));
}
Frame ip4(std::uint8_t protocol, const Frame& behind) {
  Frame ip = hex("4500 0000 0000 4000 40 00 0000 0a560001 0a560002");
  ip[9] = std::byte{protocol};
  store_be16(ip.data() + 2, static_cast<std::uint16_t>(20 + behind.size()));
  store_be16(ip.data() + 10, static_cast<std::uint16_t>(~plain_sum(ip)));
  return ether(kOurMac, 0x0800, ip + behind);
}

TEST(SummedFrame, of_a_packet_on_its_way_the_last_address_counts) {
  const Frame types[] = {hex("11 02 00 01 00000000") + kTo, hex("11 02 02 01 00000000") + kTo,
                         hex("11 04 00 02 00000000") + kVia + kTo,
                         hex("11 04 04 01 01000000") + kTo + kVia,  // first the last one
                         hex("11 04 04 01 00000000") + kTo + hex("05 0e 00000000000000 00000000000000")};  // and a TLV
  for (const Frame& routing : types) {
    const Frame before = routed(routing, kTo);
    const std::size_t at = kRoutingAt + routing.size();
    const Frame via = rewritten(kMoveVia, before);
    EXPECT_EQ(part(via, kIp6At + 24, 16), hex("20010db8000000000000000000000007"));
    EXPECT_EQ(part(via, at, 12), part(before, at, 12)) << "what is in no checksum changes none";
    const Frame all = rewritten(kMoveAll, before);
    EXPECT_EQ(all.size(), before.size());
    const Frame from = hex("20010dbb000000000000000000000001"), to = hex("20010dbb000000000000000000000009");
    EXPECT_EQ(part(all, kIp6At + 8, 16), from);
    EXPECT_TRUE(sum_is_right(all, from + to, 17, at));
  }
}

TEST(SummedFrame, all_addresses_on_the_way_move_and_nothing_else) {
  const Frame routing = hex("11 06 04 00 01000000") + kTo + kVia + kTo;  // two segments, and what looks like one
  const Frame before = routed(routing, kVia);                            // it has got where it goes
  const Frame all = rewritten(kMoveAll, before);
  const Frame via = hex("20010dbb000000000000000000000005"), to = hex("20010dbb000000000000000000000009");
  EXPECT_EQ(part(all, kRoutingAt, routing.size()), hex("11 06 04 00 01000000") + to + via + kTo);
  EXPECT_TRUE(sum_is_right(all, hex("20010dbb000000000000000000000001") + via, 17, kRoutingAt + routing.size()));
}

// Whoever judges a checksum counts the same addresses.
TEST(SummedFrame, of_a_packet_on_its_way_the_checksum_is_right) {
  const FrameMask mask = *FrameMask::parse("data");
  Frame frame = routed(hex("11 02 00 01 00000000") + kTo, kTo);
  EXPECT_EQ(difference_of(frame, frame, mask).first, "");
  frame.back() ^= std::byte{1};
  EXPECT_EQ(difference_of(frame, frame, mask).first.substr(0, 12), "udp.checksum");
}

TEST(SummedFrame, believes_no_routing_header) {
  for (const Frame& routing : {hex("11 00 00 01 00000000"), hex("11 02 03 01 00000000") + kTo}) {  // of none; unknown
    const Frame all = rewritten(kMoveAll, routed(routing, kVia));
    EXPECT_EQ(part(all, kRoutingAt, routing.size()), routing);
    EXPECT_TRUE(sum_is_right(all, hex("20010dbb000000000000000000000001 20010dbb000000000000000000000005"), 17,
                             kRoutingAt + routing.size()));
  }
  const Frame liar = routed(hex("11 02 04 01 ff000000") + kTo, kTo);  // 256 segments
  EXPECT_EQ(part(rewritten(kMoveAll, liar), kRoutingAt + 8, 16), hex("20010dbb000000000000000000000009"));
}

TEST(SummedFrame, tcp_that_is_split_on_its_way_has_right_sums) {
  Frame segment = hex("1388 1389 00000000 12345678 50 10 0400 0000 0000") + counting(3000);
  const Frame routing = hex("06 02 00 01 00000000") + kTo;
  const Frame whole = ip6(43, kVia, routing + summed(std::move(segment), 6, 16, kFrom + kTo));
  MbufPool pool{kSmallPool};
  Scratch scratch;
  std::vector<Bytes> wire;
  FrameFitter fitter({.mtu_bytes = 1500, .oversize = ReplayOversize::split}, pool);
  const CaptureFrame record{
      .bytes = whole, .wire_bytes = static_cast<std::uint32_t>(whole.size()), .link_type = kLinkTypeEthernet};
  ASSERT_EQ(fitter.fit(record, scratch, wire), std::nullopt);
  ASSERT_EQ(wire.size(), 3U);
  for (const Bytes piece : wire) {
    EXPECT_TRUE(sum_is_right({piece.begin(), piece.end()}, kFrom + kTo, 6, kRoutingAt + routing.size()));
  }
}

TEST(SummedFrame, udp_lite_dccp_and_broken_tcp_follow_their_addresses) {
  struct Case {
    std::uint8_t protocol;
    std::size_t field;
    Frame transport;
  };
  const Case cases[] = {{136, 6, hex("0001 0002 000c 0000 61626364")},
                        {33, 6, hex("0001 0002 0300 0000 01000000 0000002a")},
                        {6, 16, hex("0001 0002 00000000 00000000 40 10 0400 0000 0000")},           // an offset of 16
                        {6, 16, hex("0001 0002 00000000 00000000 f0 10 0400 0000 0000 61626364")},  // beyond the end
                        {6, 16, hex("0001 0002 00000000 00000000 50 10 0400 0000")}};  // cut behind the sum
  for (const Case& one : cases) {
    const Frame v4 = hex("0a560001 0a560002"), moved4 = hex("0b560001 0b560002");
    const Frame changed4 =
        rewritten("ip:10.0.0.0/8=11.0.0.0/8", ip4(one.protocol, summed(one.transport, one.protocol, one.field, v4)));
    EXPECT_EQ(part(changed4, 14 + 12, 8), moved4);
    EXPECT_TRUE(sum_is_right(changed4, moved4, one.protocol, 34)) << int{one.protocol};
    const Frame moved6 = hex("20010dbb000000000000000000000001 20010dbb000000000000000000000009");
    const Frame changed6 =
        rewritten(kMoveAll, ip6(one.protocol, kTo, summed(one.transport, one.protocol, one.field, kFrom + kTo)));
    EXPECT_TRUE(sum_is_right(changed6, moved6, one.protocol, kRoutingAt)) << int{one.protocol};
  }
}

TEST(SummedFrame, what_has_no_checksum_or_no_room_for_it_is_left_alone) {
  struct Case {
    std::uint8_t protocol;
    Frame transport;
  };
  const Case cases[] = {{17, hex("03e8 07d0 000c 0000 61626364")},   // none
                        {136, hex("03e8 07d0 000c 0000 61626364")},  // likewise
                        {17, hex("03e8 07d0 000c 00")},
                        {6, hex("0001 0002 00000000 00000000 50 10 0400 00")},
                        {1, hex("0800 1234 00000000")},
                        {132, hex("0001 0002 00000000 12345678")}};  // SCTP: no pseudo-header
  for (const Case& one : cases) {
    const Frame changed6 = rewritten(kMoveAll, ip6(one.protocol, kTo, one.transport));
    EXPECT_EQ(part(changed6, kRoutingAt, one.transport.size()), one.transport) << int{one.protocol};
    const Frame changed4 = rewritten("ip:10.0.0.0/8=11.0.0.0/8", ip4(one.protocol, one.transport));
    EXPECT_EQ(part(changed4, 34, one.transport.size()), one.transport) << int{one.protocol};
  }
  const Frame ported = rewritten("port:1000=5", ip6(17, kTo, cases[0].transport));
  EXPECT_EQ(part(ported, kRoutingAt, 12), hex("0005 07d0 000c 0000 61626364"));
}

}  // namespace
