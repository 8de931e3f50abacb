// SPDX-License-Identifier: BSD-2-Clause
// What IPv6's routers are told about groups: RFC 3810, and RFC 2710 for those from before.
#include "tests/netstack/inet/group_host.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

const IpAddress kAll6 = ip("ff02::1"), kGroup6 = ip("ff05::1:3"), kQuerier6 = ip("fe80::ff");

class Mld : public GroupHost {
 protected:
  Mld() : GroupHost(net::inet::InetConfig{}) {}
  void SetUp() override { ASSERT_EQ(error_of(inet->attach(ifp())), 0); }
  void settle_down() {
    run(1min);
    (void)sent();
    reports.clear();
  }
  static Frame packet6(const IpAddress& src, const IpAddress& dst, const Frame& message, std::uint8_t hops = 1,
                       const Frame& options = hex("0502 0000 0100")) {
    return ip6(src, dst, 0, hex("3a00") + options + message, hops);
  }
  static Frame query2(std::uint16_t code, const IpAddress& group = {}, const IpAddress& src = kQuerier6) {
    return icmp6(src, kAll6, 130, 0, be16(code) + be16(0) + address_bytes(group) + hex("02 7d 0000"));
  }
  static Frame message1(std::uint8_t type, const IpAddress& src, const IpAddress& dst, std::uint16_t code,
                        const IpAddress& group) {
    return icmp6(src, dst, type, 0, be16(code) + be16(0) + address_bytes(group));
  }
  void hear(const Frame& packet) { arrive(ether(net::inet::group_mac(kAll6), 0x86dd, packet)); }
  void expect_report2(const Frame& packet, const IpAddress& src, const Frame& records, std::uint32_t count) {
    const IpAddress dst = ip("ff02::16");
    EXPECT_EQ(packet, packet6(src, dst, icmp6(src, dst, 143, 0, be16(0) + be16(count) + records)));
  }
  const IpAddress ours = net::inet::with_eui64(net::inet::kLinkLocalPrefix6, kOurMac);
  const IpAddress ours_group = net::inet::solicited_node(ours);
};

TEST_F(Mld, tells_from_nobody_until_it_has_a_link_local_address) {
  host.settle();
  (void)sent();
  ASSERT_EQ(reports.size(), 1U);
  expect_report2(payload_of(reports[0]), ip("::"), record(kJoined, ours_group), 1);
  EXPECT_EQ(header_of(reports[0]).dst.to_string(), "33:33:00:00:00:16");
  run(1min);
  (void)sent();
  ASSERT_EQ(reports.size(), 4U) << "twice from nobody, twice from itself (RFC 3590, 4)";
  expect_report2(payload_of(reports[3]), ours, record(kJoined, ours_group), 1);
  join(kGroup6);
  leave(kGroup6);
  settle_down();
  join(ip("ff01::5"));
  EXPECT_TRUE(told_within(1min).empty()) << "of no interest beyond this host";
}

TEST_F(Mld, answers_queries_from_routers_of_the_link_only) {
  join(kGroup6);
  settle_down();
  hear(packet6(kQuerier6, kAll6, query2(10'000)));
  EXPECT_TRUE(told().empty());
  std::vector<Frame> packets = told_within(10s);
  ASSERT_EQ(packets.size(), 1U);
  expect_report2(packets[0], ours, record(kIsIn, ours_group) + record(kIsIn, kGroup6), 2);
  hear(packet6(kQuerier6, kAll6, query2(0x8000, kGroup6)));  // 0x1000 << 3 ms
  packets = told_within(32'768ms);
  ASSERT_EQ(packets.size(), 1U);
  expect_report2(packets[0], ours, record(kIsIn, kGroup6), 1);

  const IpAddress far = ip("2001:db8::7");
  hear(packet6(far, kAll6, query2(1, {}, far)));
  hear(packet6(kQuerier6, kAll6, query2(1), 2));
  hear(packet6(kQuerier6, kAll6, query2(1), 1, hex("0104 00000000")));
  hear(packet6(kQuerier6, kAll6, query2(1, far)));
  hear(ip6(kQuerier6, kAll6, 58, query2(1), 1));
  const Frame odd = icmp6(kQuerier6, kAll6, 130, 0, be32(0) + address_bytes({}) + hex("0200"));
  hear(packet6(kQuerier6, kAll6, odd));
  EXPECT_EQ(dropped(InetDrop::invalid_membership), 6U);
  EXPECT_TRUE(told_within(1min).empty());
}

TEST_F(Mld, speaks_version_1_as_long_as_a_router_of_that_is_about) {
  join(kGroup6);
  settle_down();
  hear(packet6(kQuerier6, kAll6, message1(130, kQuerier6, kAll6, 1000, {})));
  std::vector<Frame> packets = told_within(1s);
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(
      std::count(packets.begin(), packets.end(), packet6(ours, kGroup6, message1(131, ours, kGroup6, 0, kGroup6))), 1);
  hear(packet6(kQuerier6, kAll6, message1(130, kQuerier6, kAll6, 1000, kGroup6)));
  const IpAddress other = ip("fe80::77");
  arrive(
      ether(net::inet::group_mac(kGroup6), 0x86dd, packet6(other, kGroup6, message1(131, other, kGroup6, 0, kGroup6))));
  EXPECT_TRUE(told_within(1s).empty());
  leave(kGroup6);
  packets = told_within(1min);
  ASSERT_EQ(packets.size(), 1U);
  const IpAddress routers = ip("ff02::2");
  EXPECT_EQ(packets[0], packet6(ours, routers, message1(132, ours, routers, 0, kGroup6)));
}

}  // namespace
}  // namespace vif::test
