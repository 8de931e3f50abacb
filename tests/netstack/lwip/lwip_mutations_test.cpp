// SPDX-License-Identifier: BSD-2-Clause
// 1,000 seeded mutations of good frames against lwIP: nothing ends the process, nothing is lost, the sums match, and
// the connection that was open before still hears its peer. Under the address sanitizer also: nothing is overrun.
#include "tests/netstack/lwip/lwip_target.hpp"

namespace {

using namespace vif;
using namespace vif::test;

// One of each kind of frame a host hears.
std::vector<Frame> good_frames(const LwipTarget& target) {
  const IpAddress us6 = net::inet::with_eui64(net::inet::kLinkLocalPrefix6, kOurMac), peer6 = ip("fe80::2");
  const IpAddress nodes = ip("ff02::1");
  const auto from6 = [&](const IpAddress& to, std::uint8_t type, const Frame& rest) {
    const net::MacAddress mac = to == us6 ? kOurMac : net::inet::group_mac(to);
    return ether(mac, 0x86dd, ip6(peer6, to, 58, icmp6(peer6, to, type, 0, rest), 255));
  };
  Frame syn6 = be16(5000) + be16(LwipTarget::kOurPort) + be32(1) + be32(0) + hex("6002") + be16(60'000) + be32(0) +
               hex("020405a0");
  return {
      arp({.sender = kPeer, .target = kUs}),
      ether(kOurMac, 0x0800, target.next(text("hello"))),
      ether(kOurMac, 0x0800, tcp(kPeer, kUs, {6000, LwipTarget::kOurPort, 1, 0, Segment::kSyn})),
      ether(kOurMac, 0x0800, ip4(kPeer, kUs, udp(kPeer, 4000, kUs, 7, counting(100)), {.protocol = 17})),
      ether(kOurMac, 0x0800, ip4(kPeer, kUs, counting(96), {.protocol = 17, .fragment = 0x2000})),
      ether(kOurMac, 0x0800, ip4(kPeer, kUs, icmp(8, 0, 1, counting(64)))),
      ether(net::inet::group_mac(net::inet::kAllSystems4), 0x0800,
            ip4(kPeer, net::inet::kAllSystems4, hex("1164 ee9b 00000000"), {.protocol = 2, .ttl = 1})),
      ether(kOurMac, 0x86dd, ip6(peer6, us6, 6, syn6)),
      from6(us6, 128, be32(1) + counting(64)),
      from6(us6, 135, hex("00000000") + address_bytes(us6) + hex("0101 02005e100002")),
      from6(us6, 136, hex("60000000") + address_bytes(peer6) + hex("0201 02005e100002")),
      from6(nodes, 134,
            hex("40 00 0708 00000000 00000000") + hex("03 04 40 c0 00000708 00000708 00000000") +
                address_bytes(ip("2001:db8:1::"))),
      from6(nodes, 130, hex("27100000") + Frame(16)),
      from6(us6, 2, be32(1280) + ip6(us6, peer6, 6, counting(64))),
  };
}

Frame mutated(Frame frame, host::sim::SimRandom& random) {
  for (std::uint64_t changes = 1 + random.next() % 4; changes > 0; --changes) {
    // Mostly behind the Ethernet header, and in what comes first there.
    const std::size_t at = random.next() % 8 == 0 ? random.next() % frame.size()
                                                  : std::min<std::size_t>(14 + random.next() % 60, frame.size() - 1);
    switch (random.next() % 4) {
      case 0:
        frame[at] ^= std::byte(1U << random.next() % 8);
        break;
      case 1:
        frame[at] = std::byte(random.next() % 2 ? 0xff : 0);
        break;
      case 2:
        frame[at] = std::byte(random.next() & 0xff);
        break;
      default:
        frame.resize(random.next() % 2 ? at + 14 : frame.size() + random.next() % 64);
    }
  }
  return frame;
}

TEST(LwipMutations, survives_a_thousand) {
  host::sim::SimRandom random(20);
  for (int round = 0; round < 10; ++round) {
    LwipTarget target;
    const std::vector<Frame> good = good_frames(target);
    for (int i = 0; i < 100; ++i) {
      Frame frame = mutated(good[random.next() % good.size()], random);
      if (random.next() % 2 == 0) correct_checksums(frame);
      target.arrive(std::move(frame));
      if (random.next() % 8 == 0) target.run(std::chrono::milliseconds(random.next() % 1000));
      target.check();
    }
  }
}

// What survived has to be of use: a frame in its place is heard after all the others came to nothing.
TEST(LwipMutations, leaves_the_open_connection_alone_when_nothing_is_for_it) {
  host::sim::SimRandom random(21);
  LwipTarget target;
  const std::vector<Frame> good = good_frames(target);
  for (int i = 0; i < 300; ++i) {
    Frame frame = mutated(good[3 + random.next() % (good.size() - 3)], random);
    target.arrive(std::move(frame));
  }
  target.arrive(ether(kOurMac, 0x0800, target.next(text("hello"))));
  EXPECT_EQ(target.heard(), 5U);
}

}  // namespace
