// SPDX-License-Identifier: BSD-2-Clause
// Neighbor Discovery as --rewrite changes it.
// Mutants: the checksum stays; a Redirect's destination stays; an option of length 0 is taken for one of 8 bytes.
#include "netstack/replay/neighbour_fields.hpp"

#include <gtest/gtest.h>

#include "tests/netstack/replay/packets.hpp"

namespace {

using namespace vif;
using namespace vif::net;
using namespace vif::test;

constexpr std::size_t kMessageAt = 14 + 40;
const std::string kMove = "ip:2001:db8::/32=2001:dbb::/32", kMacs = "mac:02:00:5e:10:00:02=02:00:00:00:00:09";
const Frame kOne = hex("20010db8000000000000000000000001"), kTwo = hex("20010db8000000000000000000000002");
const Frame kOneMoved = hex("20010dbb000000000000000000000001"), kTwoMoved = hex("20010dbb000000000000000000000002");
const Frame kGroup = hex("ff0200000000000000000001ff000002");
const Frame kMacOption = hex("0101 02005e100002"), kMacOptionMoved = hex("0101 020000000009");

bool sum_holds(const Frame& frame) {
  const Bytes message = Bytes(frame).subspan(kMessageAt);
  return plain_sum(message, super_frames::pseudo_sum(Bytes(frame).subspan(14 + 8, 32), 58, message.size())) == 0xffff;
}
Frame neighbour(const Frame& from, const Frame& to, const Frame& message, const MacAddress& mac = kOurMac) {
  Frame ip = hex("60000000 0000 3a ff") + from + to;
  store_be16(ip.data() + 4, static_cast<std::uint16_t>(message.size()));
  Frame frame = ether(mac, 0x86dd, ip + message);
  const std::uint16_t sum =
      plain_sum(message, super_frames::pseudo_sum(Bytes(frame).subspan(14 + 8, 32), 58, message.size()));
  store_be16(frame.data() + kMessageAt + 2, static_cast<std::uint16_t>(~sum));
  return frame;
}
Frame message(const Frame& frame) {
  Frame bytes(frame.begin() + kMessageAt, frame.end());
  store_be16(bytes.data() + 2, 0);
  return bytes;
}

TEST(NeighbourFields, solicitations_and_advertisements_move_with_their_network_and_mac) {
  for (const char* type : {"87", "88"}) {
    const Frame before = hex(type) + hex("000000 60000000") + kTwo + kMacOption;
    const Frame after = hex(type) + hex("000000 60000000") + kTwoMoved + kMacOptionMoved;
    const Frame changed = rewritten(kMacs + "," + kMove, neighbour(kOne, kTwo, before));
    EXPECT_EQ(message(changed), after);
    EXPECT_TRUE(sum_holds(changed));
  }
}

TEST(NeighbourFields, both_addresses_of_a_redirect_move_and_the_packet_it_quotes_does_not) {
  const Frame quoted = hex("0402 0000 0000 0000") + hex("20010db8 00000000");
  const Frame changed =
      rewritten(kMacs + "," + kMove,
                neighbour(kOne, kTwo, hex("89000000 00000000") + kOne + kTwo + quoted + hex("0201 02005e100002")));
  EXPECT_EQ(message(changed), hex("89000000 00000000") + kOneMoved + kTwoMoved + quoted + hex("0201 020000000009"));
  EXPECT_TRUE(sum_holds(changed));
}

TEST(NeighbourFields, routers_say_their_mac_and_their_prefixes) {
  const Frame prefix = hex("0304 40c0 00015180 00003840 00000000");
  const Frame changed =
      rewritten(kMacs + "," + kMove,
                neighbour(kOne, kTwo, hex("86000000 400007080000000000000000") + prefix + kOne + kMacOption));
  EXPECT_EQ(message(changed), hex("86000000 400007080000000000000000") + prefix + kOneMoved + kMacOptionMoved);
  EXPECT_TRUE(sum_holds(changed));
  const Frame asked = rewritten(kMacs, neighbour(kOne, kTwo, hex("85000000 00000000") + kMacOption));
  EXPECT_EQ(message(asked), hex("85000000 00000000") + kMacOptionMoved);
  EXPECT_TRUE(sum_holds(asked));
}

TEST(NeighbourFields, who_is_asked_for_by_another_address_is_asked_at_its_group) {
  const MacAddress group{{0x33, 0x33, 0xff, 0, 0, 2}};
  const Frame asks = hex("87000000 00000000") + kTwo + kMacOption;
  const Frame changed = rewritten("ip:2001:db8::2=2001:dbb::ab:cdef", neighbour(kOne, kGroup, asks, group));
  EXPECT_EQ(changed, neighbour(kOne, hex("ff0200000000000000000001ffabcdef"),
                               hex("87000000 00000000") + hex("20010dbb000000000000000000abcdef") + kMacOption,
                               {{0x33, 0x33, 0xff, 0xab, 0xcd, 0xef}}));
  const Frame kept = rewritten(kMove, neighbour(kOne, kGroup, asks, group));
  EXPECT_EQ(kept, neighbour(kOneMoved, kGroup, hex("87000000 00000000") + kTwoMoved + kMacOption, group));
  // Not to that group: it was known where to ask.
  const Frame unicast = rewritten("ip:2001:db8::2=2001:db8::7", neighbour(kOne, kOne, asks));
  EXPECT_EQ(unicast,
            neighbour(kOne, kOne, hex("87000000 00000000") + hex("20010db8000000000000000000000007") + kMacOption));
}

TEST(NeighbourFields, believes_no_length) {
  const auto fields = [](const Frame& body) {
    const Frame frame = neighbour(kOne, kTwo, body);
    return NeighbourFields::of(frame, FrameLayers::of(frame));
  };
  const Frame fixed = hex("87000000 00000000") + kTwo;
  EXPECT_EQ(fields(fixed + kMacOption).macs.size(), 1U);
  EXPECT_EQ(fields(fixed + kMacOption + kMacOption).macs.size(), 2U);
  EXPECT_TRUE(fields(fixed + hex("0100 02005e100002") + kMacOption).macs.empty());  // of length 0
  EXPECT_TRUE(fields(fixed + hex("0102 02005e100002")).macs.empty());               // beyond the end
  EXPECT_TRUE(fields(fixed + hex("0101 02005e1000")).macs.empty());
  EXPECT_EQ(fields(fixed).addresses.size(), 1U);
  EXPECT_TRUE(fields(Frame(fixed.begin(), fixed.end() - 1)).addresses.empty());
  EXPECT_EQ(fields(fixed + hex("0301 0000 00000000")).addresses.size(), 1U);            // a prefix that is none
  EXPECT_TRUE(fields(hex("80000000 00000000") + kTwo + kMacOption).addresses.empty());  // an echo request
  EXPECT_TRUE(fields(hex("8a000000 00000000") + kTwo + kTwo + kMacOption).macs.empty());
}

}  // namespace
