// SPDX-License-Identifier: BSD-2-Clause
// An IPv6 host on its link: RFC 8200, RFC 4443, RFC 4861, RFC 4862.
#include "netstack/inet/ip6.hpp"

#include "tests/netstack/inet/rig.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

const IpAddress kOurs6 = ip("2001:db8::1"), kPeer6 = ip("2001:db8::2"), kRouter = ip("fe80::1");
const IpAddress kOurLinkLocal = net::inet::with_eui64(net::inet::kLinkLocalPrefix6, kOurMac);
constexpr net::MacAddress kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};

class Ip6Host : public InetRig {
 protected:
  Ip6Host() : InetRig(net::inet::InetConfig{}) {}
  void SetUp() override {
    configure("2001:db8::1/64");
    run(10s);
    (void)sent();
  }
  static Frame solicitation(const IpAddress& src, const IpAddress& dst, const IpAddress& target, const Frame& options,
                            std::uint8_t hops = 255) {
    return ip6(src, dst, 58, icmp6(src, dst, 135, 0, be32(0) + address_bytes(target) + options), hops);
  }
  static Frame advertisement(const IpAddress& src, const IpAddress& dst, std::uint32_t flags, const IpAddress& target,
                             const Frame& options) {
    return ip6(src, dst, 58, icmp6(src, dst, 136, 0, be32(flags) + address_bytes(target) + options), 255);
  }
  static Frame mac_option(unsigned type, const net::MacAddress& mac) {
    Frame option(8, std::byte{1});
    option[0] = static_cast<std::byte>(type);
    mac.store(option.data() + 2);
    return option;
  }
  // A router with a prefix: its lifetime in seconds, and the prefix's.
  Frame router(std::uint16_t lifetime, std::uint32_t valid, std::uint32_t preferred, unsigned flags = 0xc0) {
    const Frame prefix_option = hex("0304 40") + Frame{static_cast<std::byte>(flags)} + be32(valid) + be32(preferred) +
                                be32(0) + address_bytes(ip("2001:db8:9::"));
    const Frame rest = hex("20 00") + be16(lifetime) + be32(0) + be32(0) + mac_option(1, kPeerMac) + prefix_option;
    return ip6(kRouter, net::inet::kAllNodes6, 58, icmp6(kRouter, net::inet::kAllNodes6, 134, 0, rest), 255);
  }
  void arrive_all(const Frame& packet) { arrive(ether(kAllNodesMac, 0x86dd, packet)); }
  void know_peer6() { know_peer(kPeer6); }
  const net::inet::InterfaceAddress* configured(const IpAddress& address) {
    held = inet->addresses(ifp());
    for (const auto& entry : held) {
      if (entry.address() == address) return &entry;
    }
    return nullptr;
  }
  std::vector<net::inet::InterfaceAddress> held;
};

TEST_F(Ip6Host, answers_a_solicitation_and_learns_who_asked) {
  const IpAddress group = net::inet::solicited_node(kOurs6);
  arrive(ether(net::inet::group_mac(group), 0x86dd, solicitation(kPeer6, group, kOurs6, mac_option(1, kPeerMac))));
  const Frame frame = sent_one();
  EXPECT_EQ(header_of(frame).dst, kPeerMac);
  EXPECT_EQ(payload_of(frame), advertisement(kOurs6, kPeer6, 0x6000'0000, kOurs6, mac_option(2, kOurMac)));
  EXPECT_EQ(neighbour(kPeer6)->state, NeighbourState::delay) << "heard from, used, not yet answered by";
}

TEST_F(Ip6Host, believes_no_discovery_from_beyond_the_link_or_with_bad_options) {
  const IpAddress group = net::inet::solicited_node(kOurs6);
  for (const Frame& wrong :
       {solicitation(kPeer6, group, kOurs6, mac_option(1, kPeerMac), 254),
        solicitation(kPeer6, group, kOurs6, hex("0100")), solicitation(kPeer6, group, kOurs6, hex("0102000000000000")),
        solicitation(kPeer6, group, group, {}), solicitation(ip("::"), kOurs6, kOurs6, {}),
        solicitation(ip("::"), group, kOurs6, mac_option(1, kPeerMac))}) {
    arrive(ether(kOurMac, 0x86dd, wrong));
  }
  expect_silence();
  EXPECT_EQ(dropped(InetDrop::invalid_discovery), 6U);
}

TEST_F(Ip6Host, asks_for_a_neighbour_in_its_group_and_sends_when_answered) {
  ASSERT_TRUE(inet->ping({.to = kPeer6, .sequence = 3}));
  const IpAddress group = net::inet::solicited_node(kPeer6);
  const Frame frame = sent_one();
  EXPECT_EQ(header_of(frame).dst, net::inet::group_mac(group));
  EXPECT_EQ(payload_of(frame), solicitation(kOurs6, group, kPeer6, mac_option(1, kOurMac)));
  arrive_ip(advertisement(kPeer6, kOurs6, 0x6000'0000, kPeer6, mac_option(2, kPeerMac)));
  EXPECT_EQ(payload_of(sent_one()), ip6(kOurs6, kPeer6, 58, icmp6(kOurs6, kPeer6, 128, 0, hex("00000003"))));
  EXPECT_EQ(neighbour(kPeer6)->state, NeighbourState::reachable);
}

TEST_F(Ip6Host, answers_echo_of_any_size_and_to_all_nodes) {
  know_peer6();
  for (const std::size_t bytes : {0U, 1U, 57U, 1452U}) {
    const Frame rest = hex("47110001") + counting(bytes);
    arrive_ip(ip6(kPeer6, kOurs6, 58, icmp6(kPeer6, kOurs6, 128, 0, rest)));
    EXPECT_EQ(cut(payload_of(sent_one()), 0, 48 + bytes), ip6(kOurs6, kPeer6, 58, icmp6(kOurs6, kPeer6, 129, 0, rest)));
  }
  arrive_all(ip6(kPeer6, net::inet::kAllNodes6, 58, icmp6(kPeer6, net::inet::kAllNodes6, 128, 0, hex("47110001"))));
  EXPECT_EQ(sent().size(), 1U);
}

TEST_F(Ip6Host, cuts_and_joins_the_largest_ping) {
  know_peer6();
  const Frame echo = icmp6(kPeer6, kOurs6, 128, 0, hex("47110001") + counting(65527));
  for (std::size_t at = 0; at < echo.size(); at += 1448) {
    const bool more = at + 1448 < echo.size();
    const Frame header = hex("3a00") + be16(static_cast<std::uint32_t>(at | (more ? 1 : 0))) + be32(0xfeed);
    arrive_ip(ip6(kPeer6, kOurs6, 44, header + cut(echo, at, 1448)));
  }
  Frame data;
  for (const Frame& frame : sent()) data = data + cut(payload_of(frame), 48);
  EXPECT_EQ(data, icmp6(kOurs6, kPeer6, 129, 0, hex("47110001") + counting(65527)));
}

TEST_F(Ip6Host, believes_that_an_echo_is_too_big_when_it_sent_it) {
  know_peer6();
  const auto too_big = [&](const Frame& about) {
    arrive_ip(ip6(kPeer6, kOurs6, 58, icmp6(kPeer6, kOurs6, 2, 0, be32(1280) + cut(about, 0, 1000))));
  };
  const auto reply = [&](std::uint32_t echo) {
    arrive_ip(ip6(kPeer6, kOurs6, 58, icmp6(kPeer6, kOurs6, 128, 0, be32(echo) + counting(1400))));
    return sent();
  };
  const Frame whole = payload_of(reply(0x4711'0001).at(0));
  Frame other = whole;
  put16(other, 46, 2);
  too_big(other);
  EXPECT_EQ(reply(0x4711'0001).size(), 1U);
  too_big(whole);
  EXPECT_EQ(reply(0x4711'0003).size(), 2U);
}

TEST_F(Ip6Host, walks_extension_headers_and_tells_about_what_it_does_not_know) {
  know_peer6();
  const Frame echo = icmp6(kPeer6, kOurs6, 128, 0, hex("47110001"));
  arrive_ip(
      ip6(kPeer6, kOurs6, 0, hex("3c00 0104 00000000") + hex("2b00 1e04 00000000") + hex("3a00 0000 00000000") + echo));
  EXPECT_EQ(cut(payload_of(sent_one()), 40, 2), hex("8100"));
  arrive_ip(ip6(kPeer6, kOurs6, 60, hex("3a00 c204 00000000") + echo));
  Frame answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 40, 2) + cut(answer, 44, 4), hex("0402 0000002a"));
  arrive_ip(ip6(kPeer6, kOurs6, 43, hex("3a00 0001 00000000") + echo));
  answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 40, 2) + cut(answer, 44, 4), hex("0400 0000002a"));
  arrive_ip(ip6(kPeer6, kOurs6, 6, counting(20)));
  answer = payload_of(sent_one());
  EXPECT_EQ(cut(answer, 40, 2) + cut(answer, 44, 4), hex("0401 00000006"));
  arrive_ip(ip6(kPeer6, kOurs6, 60, hex("3aff 0104 00000000") + echo));
  EXPECT_EQ(dropped(InetDrop::malformed), 1U);
}

TEST_F(Ip6Host, refuses_addresses_that_may_not_be_on_a_wire) {
  for (const char* source : {"ff02::1", "::1"}) {
    arrive_ip(ip6(ip(source), kOurs6, 58, icmp6(ip(source), kOurs6, 128, 0, be32(0))));
  }
  Frame mapped = ip6(kPeer6, kOurs6, 58, icmp6(kPeer6, kOurs6, 128, 0, be32(0)));
  const Frame v4 = hex("00000000000000000000ffffc0000202");
  std::copy(v4.begin(), v4.end(), mapped.begin() + 8);
  arrive_ip(mapped);
  EXPECT_EQ(dropped(InetDrop::bad_address), 3U);
}

// --- coming up: RFC 4862, RFC 4861, 6.3 ---

TEST_F(Ip6Host, tells_all_about_a_new_ethernet_address) {
  constexpr net::MacAddress kNew{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x0b}};
  ASSERT_TRUE(ifp().ioctl(net::SetLladdr{kNew}));
  run(5s);
  const Frame told =
      ether(kAllNodesMac, 0x86dd,
            advertisement(kOurs6, net::inet::kAllNodes6, 0x2000'0000, kOurs6, mac_option(2, kNew)), kNew);
  const std::vector<Frame> frames = sent();
  EXPECT_EQ(std::count(frames.begin(), frames.end(), told), 1);
}

class Ip6Start : public Ip6Host {
 protected:
  void SetUp() override { ASSERT_EQ(error_of(inet->attach(ifp())), 0); }
};

TEST_F(Ip6Start, probes_its_link_local_address_and_asks_for_routers_three_times) {
  run(30s);
  const std::vector<Frame> frames = sent();
  ASSERT_EQ(frames.size(), 4U);
  const IpAddress group = net::inet::solicited_node(kOurLinkLocal);
  EXPECT_EQ(header_of(frames[0]).dst, net::inet::group_mac(group));
  const Frame probe = payload_of(frames[0]);
  EXPECT_EQ(probe, solicitation(ip("::"), group, kOurLinkLocal, hex("0e01") + cut(probe, 66)));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(cut(payload_of(frames[i]), 8),
              cut(ip6(kOurLinkLocal, net::inet::kAllRouters6, 58,
                      icmp6(kOurLinkLocal, net::inet::kAllRouters6, 133, 0, be32(0) + mac_option(1, kOurMac))),
                  8));
  }
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 " + kOurLinkLocal.to_string() + " ready"});
}

TEST_F(Ip6Start, does_not_take_an_address_that_is_advertised_or_probed_by_another) {
  run(1s);
  const IpAddress group = net::inet::solicited_node(kOurLinkLocal);
  const Frame own = sent_one();
  arrive(own);  // our own question come back is no conflict: RFC 7527
  EXPECT_TRUE(events.heard.empty());
  arrive(ether(net::inet::group_mac(group), 0x86dd, solicitation(ip("::"), group, kOurLinkLocal, {})));
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 " + kOurLinkLocal.to_string() + " duplicate"});
  run(1min);
  expect_silence();
}

TEST_F(Ip6Start, configures_an_address_and_a_route_from_an_advertisement_until_they_end) {
  run(3s);
  (void)sent();
  arrive_all(router(1800, 86400, 14400));
  run(3s);
  const IpAddress formed = net::inet::with_eui64(ip("2001:db8:9::"), kOurMac);
  ASSERT_NE(configured(formed), nullptr);
  EXPECT_EQ(configured(formed)->state, AddressState::preferred);
  EXPECT_EQ(sent().size(), 1U) << "duplicate address detection, and no more solicitations";
  ASSERT_TRUE(inet->ping({.to = ip("2001:db8:77::1")}));
  const Frame frame = sent_one();
  EXPECT_EQ(header_of(frame).dst, kPeerMac);
  EXPECT_EQ(IpAddress::load6(frame.data() + 22), formed);
  EXPECT_EQ(frame[21], std::byte{0x20}) << "the hop limit the router said";

  arrive_all(router(0, 1, 1));  // nobody may end it within two hours: RFC 4862, 5.5.3 e
  EXPECT_EQ(error_of(inet->ping({.to = ip("2001:db8:77::1")})), ENETUNREACH);
  run(10s);
  EXPECT_EQ(configured(formed)->state, AddressState::deprecated);
  run(2h);
  EXPECT_EQ(configured(formed), nullptr);
  (void)sent();
}

TEST_F(Ip6Start, listens_to_no_router_that_is_not_on_the_link) {
  run(3s);
  (void)sent();
  Frame far = router(1800, 86400, 14400);
  const Frame source = address_bytes(kPeer6);
  std::copy(source.begin(), source.end(), far.begin() + 8);
  put16(far, 42, 0);
  put16(far, 42, plain_checksum(pseudo(kPeer6, net::inet::kAllNodes6, 58, far.size() - 40) + cut(far, 40)));
  arrive_all(far);
  EXPECT_EQ(dropped(InetDrop::invalid_discovery), 1U);
  EXPECT_EQ(inet->addresses(ifp()).size(), 1U);
}

TEST_F(Ip6Start, stays_with_its_first_router_while_others_repeat_themselves) {
  run(3s);
  const IpAddress first = ip("fe80::1"), second = ip("fe80::2");
  const auto advertises = [&](const IpAddress& from, unsigned preference) {
    const Frame rest = hex("40") + Frame{static_cast<std::byte>(preference)} + be16(1800) + be32(0) + be32(0);
    const IpAddress& all = net::inet::kAllNodes6;
    arrive_all(ip6(from, all, 58, icmp6(from, all, 134, 0, rest), 255));
  };
  const auto used = [&] {
    for (const net::inet::InetRoute& route : inet->routes()) {
      if (route.to.bits == 0) return route.gateway;
    }
    return IpAddress{};
  };
  for (const IpAddress& router : {first, second, first, second}) {
    advertises(router, 0);
    EXPECT_EQ(used(), first) << "after " << router.to_string();
  }
  advertises(second, 0x08);  // high: RFC 4191, 2.2
  EXPECT_EQ(used(), second);
  advertises(second, 0);
  EXPECT_EQ(used(), first);
  (void)sent();
}

// Where nobody else assigns any: a room of `virtifctl run`.
class LoneIp6Host : public InetRig {
 protected:
  LoneIp6Host() : InetRig(net::inet::InetConfig{.dad = false}) {}
};

TEST_F(LoneIp6Host, uses_its_addresses_at_once) {
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("2001:db8::1/64"), Claim::at_once)), 0);
  ASSERT_EQ(inet->addresses(ifp()).size(), 2U);
  for (const auto& address : inet->addresses(ifp())) EXPECT_TRUE(address.usable()) << address.prefix.to_string();
}

}  // namespace
}  // namespace vif::test
