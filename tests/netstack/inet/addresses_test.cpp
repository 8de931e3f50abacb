// SPDX-License-Identifier: BSD-2-Clause
// Claiming and defending an IPv4 address: RFC 5227.
#include "netstack/inet/addresses.hpp"

#include "tests/netstack/inet/arp_link.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

class AddressClaim : public ArpLink {};

TEST_F(AddressClaim, announces_an_address_twice_two_seconds_apart) {
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::at_once)), 0);
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 192.0.2.1 ready"});
  EXPECT_EQ(sent_one(), request_of_ours(kUs));
  run(1999ms);
  expect_silence();
  run(1ms);
  EXPECT_EQ(sent_one(), request_of_ours(kUs));
  run(1min);
  expect_silence();
}

TEST_F(AddressClaim, probes_three_times_before_it_uses_an_address) {
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::probe)), 0);
  std::vector<Time> probed;
  while (events.heard.empty() && host.clock.now() < 1min) {
    run(10ms);
    for (const Frame& frame : sent()) {
      if (frame == arp({.sender_mac = kOurMac, .sender = net::inet::kAny4, .target = kUs})) {
        probed.push_back(host.clock.now());
      } else {
        EXPECT_EQ(frame, request_of_ours(kUs));
      }
    }
    arrive(arp({.sender = kPeer, .target = kUs}));
    if (events.heard.empty()) expect_silence();
  }
  ASSERT_EQ(probed.size(), 3U);
  EXPECT_LE(probed[0], 1s + 10ms);
  for (int i = 1; i < 3; ++i) {
    EXPECT_GE(probed[static_cast<std::size_t>(i)] - probed[static_cast<std::size_t>(i) - 1], 1s - 10ms);
    EXPECT_LE(probed[static_cast<std::size_t>(i)] - probed[static_cast<std::size_t>(i) - 1], 2s + 10ms);
  }
  EXPECT_GE(host.clock.now(), probed[2] + 2s - 10ms);
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 192.0.2.1 ready"});
  (void)sent();
}

TEST_F(AddressClaim, does_not_take_an_address_that_somebody_has_or_probes_too) {
  ASSERT_EQ(error_of(inet->attach(ifp())), 0);
  const Frame has_it = arp({.operation = 2, .sender = kUs, .target = net::inet::kAny4, .to = kOurMac});
  const Frame probes_too = arp({.sender = net::inet::kAny4, .target = kUs});
  for (const Frame& frame : {has_it, probes_too}) {
    ASSERT_EQ(error_of(inet->add_address(ifp(), prefix("192.0.2.1/24"), Claim::probe)), 0);
    run(1s);
    events.heard.clear();
    arrive(frame);
    EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 192.0.2.1 duplicate"});
    (void)sent();
    run(1min);
    arrive(arp({.sender = kPeer, .target = kUs}));
    expect_silence();
    EXPECT_EQ(error_of(inet->remove_address(ifp(), kUs)), 0);
  }
  EXPECT_EQ(inet->read().conflicts, 2U);
}

TEST_F(AddressClaim, defends_its_address_once_in_ten_seconds) {
  configure("192.0.2.1/24");
  const Frame thief = arp({.sender = kUs, .target = kUs});
  arrive(thief);
  EXPECT_EQ(sent_one(), request_of_ours(kUs));
  EXPECT_EQ(events.heard, std::vector<std::string>{"virt0 192.0.2.1 conflict"});
  run(9999ms);
  arrive(thief);
  expect_silence();
  run(1ms);
  arrive(thief);
  EXPECT_EQ(sent_one(), request_of_ours(kUs));
  EXPECT_EQ(inet->read().conflicts, 3U);
}

TEST_F(AddressClaim, keeps_its_addresses_when_only_the_mtu_changes) {
  configure("192.0.2.1/24");
  ports[0]->wire.caps.mtu_bytes = 1280;
  ports[0]->wire.recapped();
  host.settle();
  EXPECT_EQ(ifp().mtu_bytes(), 1280U);
  expect_silence();
  EXPECT_TRUE(events.heard.empty());
}

TEST_F(AddressClaim, announces_its_addresses_under_a_new_ethernet_address) {
  configure("192.0.2.1/24");
  ASSERT_TRUE(ifp().ioctl(net::SetLladdr{kThirdMac}));
  const Frame announcement = arp({.sender_mac = kThirdMac, .sender = kUs, .target = kUs});
  EXPECT_EQ(sent_one(), announcement);
  run(2s);
  EXPECT_EQ(sent_one(), announcement);
  ASSERT_TRUE(ifp().ioctl(net::SetLladdr{kThirdMac}));
  expect_silence();
}

TEST_F(AddressClaim, does_not_take_its_own_packets_come_back_for_a_conflict) {
  configure("192.0.2.1/24");
  arrive(request_of_ours(kUs));
  expect_silence();
  EXPECT_EQ(inet->read().conflicts, 0U);
  EXPECT_EQ(dropped(InetDrop::ignored), 1U);
}

}  // namespace
}  // namespace vif::test
