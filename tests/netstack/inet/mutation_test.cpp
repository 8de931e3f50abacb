// SPDX-License-Identifier: BSD-2-Clause
// A thousand seeded mutations of every header the stack reads. Whatever comes of them: all sums hold after each, no
// mbuf is lost, and no error is told about an error, about what went to a group, or to what is no host (RFC 1122,
// 3.2.2; RFC 4443, 2.4 e).
#include "tests/netstack/inet/dhcp_host.hpp"
#include "tests/netstack/inet/right_sums.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

const IpAddress kOurs6 = ip("2001:db8::1"), kPeer6 = ip("2001:db8::2"), kRouter6 = ip("fe80::1");
const IpAddress kFar = ip("203.0.113.9"), kFar6 = ip("2001:db8:99::9"), kGroup = ip("239.1.2.3");
const IpAddress kAll4 = ip("224.0.0.1"), kAll6 = ip("ff02::1");

constexpr std::size_t kEther = 14, kIp4 = 14, kAfter4 = 34, kIp6 = 14, kAfter6 = 54;

// A frame as it should be, and which of its bytes are changed.
struct Subject {
  const char* header;
  Frame frame;
  std::size_t at, bytes;
};

Frame group_frame(const IpAddress& group, const Frame& packet) {
  return ether(net::inet::group_mac(group), group.is_v4() ? 0x0800 : 0x86dd, packet);
}
Frame to_us(const Frame& packet) {
  return ether(kOurMac, std::to_integer<unsigned>(packet[0]) >> 4 == 6 ? 0x86dd : 0x0800, packet);
}
Frame summed(Frame message) {
  put16(message, 2, plain_checksum(message));
  return message;
}
Frame nd(const IpAddress& src, const IpAddress& dst, std::uint8_t type, const Frame& rest) {
  return ip6(src, dst, 58, icmp6(src, dst, type, 0, rest), 255);
}

std::vector<Subject> subjects4() {
  const Frame echo = icmp(8, 0, 0x4711'0001, counting(40));
  const Frame quoted = ip4(kUs, kPeer, udp(kUs, 7, kPeer, 9, counting(20)), {.protocol = 17});
  const Frame datagram = udp(kPeer, 9, kUs, 7, counting(30));
  const auto igmp = [](const Frame& message) {
    return group_frame(kAll4, ip4(kServer, kAll4, message, {.protocol = 2, .ttl = 1, .options = hex("94040000")}));
  };
  return {
      {"Ethernet", to_us(ip4(kPeer, kUs, echo)), 0, kEther},
      {"ARP request", arp({.sender = kPeer, .target = kUs}), kEther, 28},
      {"ARP reply", arp({.operation = 2, .sender = kPeer, .target = kUs, .target_mac = kOurMac, .to = kOurMac}), kEther,
       28},
      {"IPv4", to_us(ip4(kPeer, kUs, echo)), kIp4, 20},
      {"IPv4 of unknown protocol", to_us(ip4(kPeer, kUs, counting(40), {.protocol = 99})), kIp4, 20},
      {"IPv4 options", to_us(ip4(kPeer, kUs, echo, {.options = hex("8307 04 00000000 00 94040000")})), kAfter4, 12},
      {"IPv4 first fragment", to_us(ip4(kPeer, kUs, echo, {.fragment = 0x2000})), kIp4, 20},
      {"IPv4 later fragment", to_us(ip4(kPeer, kUs, echo, {.fragment = 6})), kIp4, 20},
      {"IPv4 to be forwarded", to_us(ip4(kPeer, kFar, echo)), kIp4, 20},
      {"ICMP echo", to_us(ip4(kPeer, kUs, echo)), kAfter4, 8},
      {"ICMP unreachable", to_us(ip4(kPeer, kUs, icmp(3, 3, 0, quoted))), kAfter4, 8 + 28},
      {"ICMP fragmentation needed", to_us(ip4(kPeer, kUs, icmp(3, 4, 1000, quoted))), kAfter4, 8 + 28},
      {"ICMP time exceeded", to_us(ip4(kPeer, kUs, icmp(11, 0, 0, quoted))), kAfter4, 8 + 28},
      {"UDP", to_us(ip4(kPeer, kUs, datagram, {.protocol = 17})), kAfter4, 8},
      {"UDP to nobody", to_us(ip4(kPeer, kUs, udp(kPeer, 9, kUs, 9999, counting(30)), {.protocol = 17})), kAfter4, 8},
      {"UDP to all",
       ether(net::kBroadcast, 0x0800,
             ip4(kPeer, ip("192.0.2.255"), udp(kPeer, 9, ip("192.0.2.255"), 9999, counting(30)), {.protocol = 17})),
       kIp4, 28},
      {"IGMPv3 query", igmp(summed(hex("11 0a 0000 00000000 02 7d 0000"))), kIp4, 36},
      {"IGMPv2 query", igmp(summed(hex("11 0a 0000 ef010203"))), kIp4, 32},
      {"IGMPv2 report",
       group_frame(kGroup, ip4(kServer, kGroup, summed(hex("16 00 0000 ef010203")),
                               {.protocol = 2, .ttl = 1, .options = hex("94040000")})),
       kIp4, 32},
  };
}

std::vector<Subject> subjects6() {
  const auto echo_behind = [](std::uint8_t next, const Frame& headers) {
    return to_us(ip6(kPeer6, kOurs6, next, headers + icmp6(kPeer6, kOurs6, 128, 0, hex("47110001") + counting(40))));
  };
  const auto error = [](std::uint8_t type, std::uint32_t word) {
    const Frame quoted = ip6(kOurs6, kPeer6, 17, udp(kOurs6, 7, kPeer6, 9, counting(20)));
    return to_us(ip6(kPeer6, kOurs6, 58, icmp6(kPeer6, kOurs6, type, 0, be32(word) + quoted)));
  };
  const Frame mac_1 = hex("0101 02005e100002"), mac_2 = hex("0201 02005e100002");
  const IpAddress ours_group = net::inet::solicited_node(kOurs6);
  const Frame prefix_option =
      hex("0304 40c0") + be32(86400) + be32(14400) + be32(0) + address_bytes(ip("2001:db8:9::"));
  const auto mld = [](const IpAddress& src, const IpAddress& dst, std::uint8_t type, const Frame& rest) {
    return group_frame(dst, ip6(src, dst, 0, hex("3a00 0502 0000 0100") + icmp6(src, dst, type, 0, rest), 1));
  };
  const IpAddress group6 = ip("ff05::1:3");
  return {
      {"IPv6", echo_behind(58, {}), kIp6, 40},
      {"IPv6 of unknown next header", to_us(ip6(kPeer6, kOurs6, 99, counting(40))), kIp6, 40},
      {"IPv6 to be forwarded", to_us(ip6(kPeer6, kFar6, 58, icmp6(kPeer6, kFar6, 128, 0, be32(1)))), kIp6, 40},
      {"IPv6 hop-by-hop", echo_behind(0, hex("3a00 0104 00000000")), kIp6 + 6, 34 + 8},
      {"IPv6 destination options", echo_behind(60, hex("3a01 1e04 00000000 c204 00000000 0000")), kAfter6, 16},
      {"IPv6 routing", echo_behind(43, hex("3a00 0000 00000000")), kAfter6, 8},
      {"IPv6 fragment", echo_behind(44, hex("3a00 0001 0000feed")), kAfter6, 8},
      {"IPv6 whole in a fragment", echo_behind(44, hex("3a00 0000 0000feed")), kAfter6, 8},
      {"ICMPv6 echo", echo_behind(58, {}), kAfter6, 8},
      {"ICMPv6 unreachable", error(1, 0), kAfter6, 8 + 48},
      {"ICMPv6 too big", error(2, 1280), kAfter6, 8 + 48},
      {"ICMPv6 parameter problem", error(4, 6), kAfter6, 8 + 48},
      {"UDP over IPv6", to_us(ip6(kPeer6, kOurs6, 17, udp(kPeer6, 9, kOurs6, 9999, counting(30)))), kAfter6, 8},
      {"neighbour solicitation",
       group_frame(ours_group, nd(kPeer6, ours_group, 135, be32(0) + address_bytes(kOurs6) + mac_1)), kAfter6, 32},
      {"neighbour advertisement", to_us(nd(kPeer6, kOurs6, 136, be32(0x6000'0000) + address_bytes(kPeer6) + mac_2)),
       kAfter6, 32},
      {"router advertisement",
       group_frame(kAll6, nd(kRouter6, kAll6, 134,
                             hex("40 00 0708 00000000 00000000") + mac_1 + hex("0501 0000 000005dc") + prefix_option)),
       kAfter6, 64},
      {"redirect",
       to_us(nd(kRouter6, kOurs6, 137, be32(0) + address_bytes(ip("fe80::2")) + address_bytes(kFar6) + mac_2)), kAfter6,
       48},
      {"MLDv2 query", mld(kRouter6, kAll6, 130, be32(0x0064'0000) + address_bytes({}) + hex("02 7d 0000")), kIp6 + 6,
       76},
      {"MLDv1 query", mld(kRouter6, kAll6, 130, be32(0x0064'0000) + address_bytes(group6)), kIp6 + 6, 72},
      {"MLDv1 report", mld(kRouter6, group6, 131, be32(0) + address_bytes(group6)), kIp6 + 6, 72},
  };
}

// What is wrong with an ICMP error that left, as a packet; empty: nothing, or it is none.
std::string wrong_error(const Frame& packet) {
  const bool v6 = std::to_integer<unsigned>(packet[0]) >> 4 == 6;
  const auto octet = [](const Frame& of, std::size_t at) { return std::to_integer<unsigned>(of.at(at)); };
  const std::size_t icmp_at = v6 ? 40 : 20;
  if (octet(packet, v6 ? 6 : 9) != (v6 ? 58 : 1)) return {};
  const unsigned type = octet(packet, icmp_at), code = octet(packet, icmp_at + 1);
  const bool is_error = v6 ? type < 128 : type == 3 || type == 11 || type == 12;
  if (!is_error) return {};
  const Frame about = cut(packet, icmp_at + 8);
  const IpAddress src = v6 ? IpAddress::load6(&about.at(8)) : IpAddress::load4(&about.at(12));
  const IpAddress dst = v6 ? IpAddress::load6(&about.at(24)) : IpAddress::load4(&about.at(16));
  const bool group_too = v6 && (type == 2 || (type == 4 && code == 2));
  if (!src.is_unicast()) return "to no host: " + src.to_string();
  if (dst.is_multicast() && !group_too) return "about a packet to " + dst.to_string();
  if (dst == net::inet::kLimitedBroadcast || dst == ip("192.0.2.255")) return "about a broadcast";
  if (!v6 && (be16_at(about, 6) & 0x1fff) != 0) return "about a later fragment";
  const std::size_t inner_at = v6 ? 40 : (octet(about, 0) & 15) * 4;
  if (octet(about, v6 ? 6 : 9) != (v6 ? 58 : 1) || about.size() <= inner_at) return {};
  const unsigned inner = octet(about, inner_at);
  const bool about_error = v6 ? inner < 128 || inner == 137 : inner != 0 && inner != 8;
  return about_error ? "about an error of type " + std::to_string(inner) : std::string{};
}

class Mutations : public InetRig, public testing::WithParamInterface<bool> {
 protected:
  static constexpr int kMutations = 1000;

  Mutations() : InetRig(net::inet::InetConfig{.forwarding = GetParam()}) {}
  void SetUp() override {
    configure("192.0.2.1/24");
    configure("2001:db8::1/64");
    know_peer();
    know_peer(kPeer6);
    ASSERT_TRUE(inet->join(ifp(), kGroup));
    ASSERT_TRUE(inet->join(ifp(), ip("ff05::1:3")));
    ASSERT_TRUE(inet->add_route({.to = prefix("0.0.0.0/0"), .gateway = kPeer}));
    ASSERT_TRUE(inet->add_route({.to = prefix("::/0"), .gateway = kPeer6}));
    socket = std::move(*inet->open_udp({.port = 7}));
    for (const IpAddress& peer : {kPeer, kPeer6}) {  // or no error about it would be believed
      ASSERT_TRUE(socket->send_to(Bytes(counting(20)), {.address = peer, .port = 9}));
    }
    (void)sent();
  }
  void TearDown() override {
    socket.reset();
    run(5min);
    EXPECT_EQ(inet->read().fragments_waiting, 0U);
  }

  // A bit, a byte, a word, or where the frame ends.
  void mutate(Frame& frame, std::size_t from, std::size_t bytes) {
    for (std::uint64_t times = 1 + random.next() % 3; times > 0; --times) {
      const std::size_t at = std::min(from + random.next() % bytes, frame.size() - 1);
      constexpr std::array<unsigned, 6> kEdges = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
      switch (random.next() % 8) {
        case 0:
          return frame.resize(std::max(at, kEther));
        case 1:
          frame[at] = static_cast<std::byte>(random.next());
          break;
        case 2:
        case 3:
          frame[at] = static_cast<std::byte>(kEdges[random.next() % kEdges.size()]);
          break;
        case 4:
          if (at + 2 <= frame.size()) put16(frame, at, static_cast<std::uint16_t>(random.next()));
          break;
        default:
          frame[at] ^= static_cast<std::byte>(1U << random.next() % 8);
      }
    }
  }

  bool is_from_us(const Frame& packet) {
    const bool v6 = std::to_integer<unsigned>(packet[0]) >> 4 == 6;
    const IpAddress src = v6 ? IpAddress::load6(&packet.at(8)) : IpAddress::load4(&packet.at(12));
    const auto ours = inet->addresses(ifp());
    return std::any_of(ours.begin(), ours.end(), [&](const auto& entry) { return entry.address() == src; });
  }

  void expect_right(const char* header, int i) {
    for (const Frame& frame : sent()) {
      if (header_of(frame).type == 0x0806) continue;
      const Frame packet = payload_of(frame);
      if (!is_from_us(packet)) continue;  // passed on
      const std::string wrong = wrong_error(packet);
      ASSERT_EQ(wrong, "") << header << ", mutation " << i;
    }
    expect_sums();
    ASSERT_LE(inet->neighbours(ifp()).size(), net::inet::Neighbours::kEntriesMax);
    ASSERT_LE(inet->addresses(ifp()).size(), net::inet::Addresses::kAddressesMax);
  }

  void mutate_all(const std::vector<Subject>& subjects) {
    for (const Subject& subject : subjects) {
      const InetData before = inet->read();
      for (int i = 0; i < kMutations; ++i) {
        Frame frame = subject.frame;
        mutate(frame, subject.at, subject.bytes);
        if (i % 4 != 0) correct_sums(frame);
        arrive(frame);
        run(10ms);
        while (socket->receive()) continue;
        reports.clear();
        ASSERT_NO_FATAL_FAILURE(expect_right(subject.header, i));
      }
      EXPECT_GT(inet->read().received, before.received) << subject.header;
    }
  }

  host::sim::SimRandom random{2026};
  std::unique_ptr<net::inet::UdpSocket> socket;
};

TEST_P(Mutations, of_every_ipv4_header_break_nothing) { mutate_all(subjects4()); }
TEST_P(Mutations, of_every_ipv6_header_break_nothing) { mutate_all(subjects6()); }

INSTANTIATE_TEST_SUITE_P(HostAndRouter, Mutations, testing::Bool());

// What a server says to a client in each of its states.
class DhcpMutations : public DhcpHost {};

TEST_F(DhcpMutations, of_a_servers_messages_break_nothing) {
  host::sim::SimRandom random(2026);
  std::size_t bound = 0;
  for (int i = 0; i < 3000; ++i) {
    if (client->state() == DhcpState::stopped) {
      ASSERT_TRUE(client->start());
    }
    run(1s + Time(random.next() % 2'000'000'000));
    for (const Frame& question : asked()) {
      const DhcpType type = type_of(question) == DhcpType::discover ? DhcpType::offer : DhcpType::ack;
      const ServerSays says{.type = type, .lease_s = 60, .options = option(121, hex("00 c00002fe 18 0a1b81 c00002fd"))};
      Frame message = dhcp_reply(load_be32(&question.at(4)), says);
      const bool damaged = random.next() % 2 == 0;
      for (std::uint64_t n = damaged ? 1 + random.next() % 3 : 0; n > 0; --n) {
        const std::size_t at =
            random.next() % 2 == 0 ? random.next() % 44 : 236 + random.next() % (message.size() - 236);
        message[at] = static_cast<std::byte>(random.next());
      }
      if (damaged && random.next() % 8 == 0) message.resize(random.next() % message.size());
      arrive(ether(
          net::kBroadcast, 0x0800,
          ip4(kServer, ip("255.255.255.255"), udp(kServer, 67, ip("255.255.255.255"), 68, message), {.protocol = 17}),
          kServerMac));
    }
    bound += client->state() == DhcpState::bound;
    if (i % 100 == 99) client->release();
    expect_sums();
    ASSERT_LE(inet->addresses(ifp()).size(), 1U);
  }
  EXPECT_GT(bound, 100U);
  EXPECT_GT(client->read().ignored, 100U);
}

}  // namespace
}  // namespace vif::test
