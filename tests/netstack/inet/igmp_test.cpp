// SPDX-License-Identifier: BSD-2-Clause
// What IPv4's routers are told about groups: RFC 3376, and RFC 2236 for those from before.
#include "tests/netstack/inet/group_host.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

const IpAddress kGroup = ip("239.1.2.3"), kOtherGroup = ip("239.9.9.9"), kQuerier = ip("192.0.2.254");
const IpAddress kAll4 = ip("224.0.0.1");

class Igmp : public GroupHost {
 protected:
  Igmp() : GroupHost({.ip6 = false}) {}
  void SetUp() override {
    configure("192.0.2.1/24");
    EXPECT_TRUE(told().empty()) << "nobody is told of 224.0.0.1";
  }
  static Frame summed(Frame message) {
    put16(message, 2, plain_checksum(message));
    return message;
  }
  // As the packet has them, which need not be as they should.
  struct Carried {
    std::uint8_t ttl = 1;
    Frame options = hex("94040000");
    net::MacAddress to = net::inet::group_mac(kAll4);
    IpAddress dst = kAll4;
  };
  void hear(const Frame& message, const Carried& how) {
    arrive(
        ether(how.to, 0x0800,
              ip4(kQuerier, how.dst, message, {.protocol = 2, .ttl = how.ttl, .tos = 0xc0, .options = how.options})));
  }
  void hear(const Frame& message) { hear(message, Carried{}); }
  // In tenths of seconds; robustness 2, queries every 125 s.
  static Frame query3(std::uint8_t code, const IpAddress& group = ip("0.0.0.0")) {
    return summed(Frame{std::byte{0x11}, std::byte{code}} + be16(0) + address_bytes(group) + hex("02 7d 0000"));
  }
  static Frame message2(std::uint8_t type, std::uint8_t code, const IpAddress& group) {
    return summed(Frame{std::byte{type}, std::byte{code}} + be16(0) + address_bytes(group));
  }
  static Frame igmp_packet(const IpAddress& dst, const Frame& message, const Frame& like) {
    return ip4(kUs, dst, message,
               {.protocol = 2, .ttl = 1, .tos = 0xc0, .id = be16_at(like, 4), .options = hex("94040000")});
  }
  static void expect_report3(const Frame& packet, const Frame& records, std::uint32_t count) {
    EXPECT_EQ(packet, igmp_packet(ip("224.0.0.22"), summed(hex("22000000 0000") + be16(count) + records), packet));
  }
  static void expect_message2(const Frame& packet, const IpAddress& dst, std::uint8_t type, const IpAddress& group) {
    EXPECT_EQ(cut(packet, 0, 32), igmp_packet(dst, message2(type, 0, group), packet));
  }
};

TEST_F(Igmp, tells_of_joining_and_of_leaving_twice_within_a_second) {
  join(kGroup);
  std::vector<Frame> packets = told();
  ASSERT_EQ(packets.size(), 1U) << "at once";
  EXPECT_EQ(header_of(ether(net::inet::group_mac(ip("224.0.0.22")), 0, {})).dst.to_string(), "01:00:5e:00:00:16");
  expect_report3(packets[0], record(kJoined, kGroup), 1);
  packets = told_within(1001ms);
  ASSERT_EQ(packets.size(), 1U) << "and again, as one may be lost";
  expect_report3(packets[0], record(kJoined, kGroup), 1);
  EXPECT_TRUE(told_within(1h).empty());

  join(kGroup);
  leave(kGroup);
  EXPECT_TRUE(told().empty()) << "still in it";
  leave(kGroup);
  packets = told_within(1001ms);
  ASSERT_EQ(packets.size(), 2U);
  expect_report3(packets[0], record(kLeft, kGroup), 1);
  expect_report3(packets[1], record(kLeft, kGroup), 1);
  EXPECT_TRUE(told_within(1h).empty());
  EXPECT_EQ(inet->read().reports_sent, 4U);
}

TEST_F(Igmp, tells_of_many_changes_at_once_in_as_few_packets_as_fit) {
  for (std::uint8_t i = 0; i < 254; ++i) join(IpAddress::v4(239, 0, 0, i));
  leave(IpAddress::v4(239, 0, 0, 0));
  const std::vector<Frame> packets = told();
  ASSERT_EQ(packets.size(), 2U);
  std::size_t records = 0;
  for (const Frame& packet : packets) {
    EXPECT_LE(packet.size(), 1500U);
    EXPECT_EQ(plain_checksum(cut(packet, 24)), 0);
    records += be16_at(packet, 24 + 6);
    EXPECT_EQ(packet.size(), 24 + 8 + be16_at(packet, 24 + 6) * 8U);
  }
  EXPECT_EQ(records, 254U);
  EXPECT_EQ(packets[0][24 + 8], std::byte{kLeft});
}

TEST_F(Igmp, answers_a_query_once_within_the_time_it_says) {
  join(kGroup);
  join(kOtherGroup);
  (void)told_within(1min);
  for (int i = 0; i < 2; ++i) hear(query3(100));  // 10 s
  EXPECT_TRUE(told().empty()) << "after a random time, or all hosts would answer at once";
  std::vector<Frame> packets = told_within(10s);
  ASSERT_EQ(packets.size(), 1U);
  expect_report3(packets[0], record(kIsIn, kGroup) + record(kIsIn, kOtherGroup), 2);

  hear(query3(10, kOtherGroup));
  packets = told_within(1s);
  ASSERT_EQ(packets.size(), 1U);
  expect_report3(packets[0], record(kIsIn, kOtherGroup), 1);
  hear(query3(10, ip("239.7.7.7")));
  EXPECT_TRUE(told_within(1min).empty());
  EXPECT_EQ(inet->read().queries_heard, 4U);
}

TEST_F(Igmp, reads_long_times_and_how_often_a_router_wants_a_report) {
  join(kGroup);
  (void)told_within(1min);
  Frame query = query3(0xff);  // (15 + 16) << 10 tenths: RFC 3376, 4.1.1
  query[8] = std::byte{7};
  put16(query, 2, 0);
  hear(summed(query));
  EXPECT_EQ(told_within(3175s).size(), 1U);
  leave(kGroup);
  EXPECT_EQ(told_within(10s).size(), 7U);
}

TEST_F(Igmp, hears_no_query_that_a_router_of_the_link_did_not_make) {
  join(kGroup);
  (void)told_within(1min);
  hear(query3(1), {.ttl = 2});
  hear(query3(1), {.options = {}});
  hear(query3(1), {.options = hex("01940400 00000000")});
  hear(query3(1), {.options = hex("94030000")});
  hear(query3(1), {.to = kOurMac, .dst = kUs});
  hear(query3(1, kPeer));
  EXPECT_EQ(dropped(InetDrop::invalid_membership), 5U) << "all but the alert behind a no-operation";
  Frame damaged = query3(1);
  damaged[1] ^= std::byte{1};
  hear(damaged);
  EXPECT_EQ(dropped(InetDrop::bad_checksum), 1U);
  hear(cut(query3(1), 0, 7));
  EXPECT_EQ(dropped(InetDrop::malformed), 1U);
  hear(message2(0x11, 0, ip("0.0.0.0")));  // version 1
  hear(message2(0x22, 0, ip("0.0.0.0")));  // somebody's report
  EXPECT_EQ(dropped(InetDrop::ignored), 2U);
  EXPECT_EQ(told_within(1min).size(), 1U);
}

TEST_F(Igmp, speaks_version_2_as_long_as_a_router_of_that_is_about) {
  join(kGroup);
  join(kOtherGroup);
  (void)told_within(1min);
  hear(message2(0x11, 100, ip("0.0.0.0")));
  std::vector<Frame> packets = told_within(10s);
  ASSERT_EQ(packets.size(), 2U);
  const bool first = cut(packets[0], 16, 4) == address_bytes(kGroup);
  expect_message2(packets[first ? 0 : 1], kGroup, 0x16, kGroup);
  expect_message2(packets[first ? 1 : 0], kOtherGroup, 0x16, kOtherGroup);
  // Another host's report will do.
  hear(message2(0x11, 100, kGroup));
  hear(message2(0x16, 0, kGroup), {.to = net::inet::group_mac(kGroup), .dst = kGroup});
  EXPECT_TRUE(told_within(10s).empty());

  leave(kGroup);
  packets = told_within(1min);
  ASSERT_EQ(packets.size(), 1U);
  expect_message2(packets[0], ip("224.0.0.2"), 0x17, kGroup);
  join(kGroup);
  packets = told_within(10001ms);
  ASSERT_EQ(packets.size(), 2U);
  expect_message2(packets[1], kGroup, 0x16, kGroup);
  hear(query3(10));
  expect_message2(told_within(1s).at(0), kGroup, 0x16, kGroup);

  run(2 * 125s + 10s);
  hear(query3(10));
  expect_report3(told_within(1s).at(0), record(kIsIn, kGroup) + record(kIsIn, kOtherGroup), 2);
}

TEST_F(Igmp, says_goodbye_when_detached_and_tells_all_anew_on_another_link) {
  join(kGroup);
  (void)told_within(1min);
  ports[0]->wire.carrier(net::LinkState::down);
  ports[0]->wire.carrier(net::LinkState::up);
  host.settle();
  EXPECT_EQ(std::exchange(ports[0]->wire.sent, {}).size(), 2U) << "an announcement of the address, and of the group";
  run(1min);
  (void)std::exchange(ports[0]->wire.sent, {});
  ASSERT_EQ(error_of(inet->detach(ifp())), 0);
  const std::vector<Frame> packets = told();
  ASSERT_EQ(packets.size(), 1U);
  expect_report3(packets[0], record(kLeft, kGroup), 1);
}

TEST_F(Igmp, forgets_the_first_of_too_many_that_it_left) {
  ASSERT_TRUE(ifp().ioctl(net::SetFlags{ifp().flags() & ~std::uint32_t{net::IFF_UP}}));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const IpAddress group = IpAddress::v4(0xef00'0000U + i);
    join(group);
    leave(group);
  }
  EXPECT_TRUE(told_within(1min).empty());
  EXPECT_EQ(dropped(InetDrop::out_refused), inet->read().reports_sent);
}

}  // namespace
}  // namespace vif::test
