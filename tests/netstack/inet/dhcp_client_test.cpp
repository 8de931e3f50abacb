// SPDX-License-Identifier: BSD-2-Clause
// A DHCP client and servers of all sorts: RFC 2131, 3 and 4.4.
#include "tests/netstack/inet/dhcp_host.hpp"

namespace vif::test {
namespace {

using namespace std::chrono_literals;

using Told = std::vector<std::string>;

TEST_F(DhcpHost, gets_an_address_and_its_routes_and_says_so_once_it_is_claimed) {
  ASSERT_EQ(error_of(client->start()), 0);
  EXPECT_EQ(error_of(client->start()), EALREADY);
  run(1s);
  const Frame discover = asked_one();
  EXPECT_EQ(last_dst, ip("255.255.255.255"));
  EXPECT_EQ(discover.size(), 300U);
  EXPECT_EQ(cut(discover, 0, 4) + cut(discover, 10, 18), hex("01010600 8000") + Frame(16))
      << "from nobody, to everybody";
  EXPECT_EQ(type_of(discover), DhcpType::discover);
  EXPECT_TRUE(has(discover, hex("37 06 01 79 03 06 1a 33"))) << "classless routes before routers: RFC 3442";
  answer(discover, {});
  const Frame request = asked_one();
  EXPECT_EQ(type_of(request), DhcpType::request);
  EXPECT_EQ(cut(request, 4, 4), cut(discover, 4, 4));
  EXPECT_TRUE(has(request, option(50, address_bytes(kOffered)) + option(54, address_bytes(kServer))));
  answer(request, {.type = DhcpType::ack,
                   .options = option(1, hex("ffffff00")) + option(26, hex("0578")) + option(6, hex("01010101")) +
                              option(121, hex("00 c00002fe 08 0a 00000000"))});
  EXPECT_EQ(client->state(), DhcpState::probing);
  EXPECT_TRUE(told.empty());
  run(10s);
  EXPECT_EQ(asked().size(), 0U);
  EXPECT_EQ(arps, 5) << "three probes, two announcements: RFC 5227";
  EXPECT_EQ(client->state(), DhcpState::bound);
  EXPECT_EQ(told, Told{"192.0.2.77/24"});
  EXPECT_EQ(client->lease()->mtu_bytes, 1400);
  EXPECT_EQ(client->lease()->dns, std::vector<IpAddress>{ip("1.1.1.1")});
  EXPECT_EQ(inet->addresses(ifp()).at(0).origin, net::inet::AddressOrigin::dhcp);
  know_peer(kServer, kServerMac);
  EXPECT_TRUE(inet->ping({.to = ip("203.0.113.9")}));
  EXPECT_EQ(header_of(sent_one()).dst, kServerMac) << "by the default route";
}

TEST_F(DhcpHost, asks_again_ever_more_slowly_and_starts_over_when_no_request_is_answered) {
  ASSERT_EQ(error_of(client->start()), 0);
  run(1s);
  ASSERT_EQ(asked().size(), 1U);
  run(5s);
  EXPECT_EQ(asked().size(), 1U) << "4 s, give or take one";
  run(9s);
  EXPECT_EQ(asked().size(), 1U) << "8 s";
  run(10min);
  const std::size_t later = asked().size();
  EXPECT_TRUE(later >= 9 && later <= 12) << later << ": 16 s, 32 s, and then each 64 s";
  run(1min);
  const std::vector<Frame> last = asked();
  ASSERT_FALSE(last.empty());
  EXPECT_GT(be16_at(last[0], 8), 500) << "seconds it has been asking";
  answer(last.back(), {});
  run(1min);
  const std::vector<Frame> again = asked();
  EXPECT_EQ(std::count_if(again.begin(), again.end(), [](const Frame& m) { return type_of(m) == DhcpType::request; }),
            4);
  EXPECT_EQ(client->state(), DhcpState::selecting);
}

TEST_F(DhcpHost, extends_its_lease_with_the_server_and_then_with_any) {
  become_bound();
  run(1800s);
  const Frame renew = asked_one();
  EXPECT_EQ(client->state(), DhcpState::renewing);
  EXPECT_EQ(last_dst, kServer);
  EXPECT_EQ(cut(renew, 10, 6), hex("0000") + address_bytes(kOffered));
  EXPECT_FALSE(has(renew, option(54, address_bytes(kServer))));
  EXPECT_FALSE(has(renew, option(50, address_bytes(kOffered))));
  answer(renew, {.type = DhcpType::ack, .server = ip("192.0.2.9")}, kOffered);
  EXPECT_EQ(client->state(), DhcpState::renewing) << "another server was not asked";
  answer(renew, {.type = DhcpType::ack, .options = option(1, hex("ffffff00"))}, kOffered);
  EXPECT_EQ(client->state(), DhcpState::bound);
  EXPECT_EQ(told, Told{"192.0.2.77/24"});
  EXPECT_EQ(error_of(inet->ping({.to = ip("203.0.113.9")})), ENETUNREACH) << "the server has no route any more";

  run(3100s);
  EXPECT_GT(asked().size(), 3U) << "twice as often each time, but no more than each minute";
  EXPECT_EQ(client->state(), DhcpState::renewing);
  run(120s);
  const Frame rebind = asked().back();
  EXPECT_EQ(client->state(), DhcpState::rebinding);
  EXPECT_EQ(last_dst, ip("255.255.255.255"));
  answer(rebind, {.type = DhcpType::ack, .server = ip("192.0.2.9")}, kOffered);
  EXPECT_EQ(client->state(), DhcpState::bound);
  EXPECT_EQ(client->lease()->server, ip("192.0.2.9"));
}

TEST_F(DhcpHost, gives_the_address_up_when_the_lease_ends) {
  become_bound();
  run(3580s);
  EXPECT_TRUE(has_address());
  EXPECT_TRUE(told.empty());
  run(15s);
  EXPECT_FALSE(has_address());
  EXPECT_EQ(told, Told{"over"});
  EXPECT_EQ(type_of(asked().back()), DhcpType::discover);
}

TEST_F(DhcpHost, keeps_an_endless_lease_without_asking) {
  become_bound({.lease_s = 0xffff'ffff});
  run(1000h);
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(client->state(), DhcpState::bound);
}

TEST_F(DhcpHost, follows_the_servers_times_if_they_are_in_order) {
  const Frame mask = option(1, hex("ffffff00"));
  become_bound({.options = mask + option(58, be32(100)) + option(59, be32(200))});
  run(100s);
  EXPECT_EQ(client->state(), DhcpState::renewing);
  run(100s);
  EXPECT_EQ(client->state(), DhcpState::rebinding);
  const Frame last = asked().back();
  answer(last, {.type = DhcpType::ack, .options = mask + option(58, be32(200)) + option(59, be32(100))}, kOffered);
  run(1600s);
  EXPECT_EQ(client->state(), DhcpState::bound) << "until half of the lease";
}

TEST_F(DhcpHost, declines_an_address_that_another_host_has) {
  ASSERT_EQ(error_of(client->start()), 0);
  run(1s);
  answer(asked_one(), {});
  answer(asked_one(), {.type = DhcpType::ack});
  run(1s);
  arrive(arp({.operation = 2, .sender = kOffered, .target = kOffered}));
  const Frame decline = asked_one();
  EXPECT_EQ(type_of(decline), DhcpType::decline);
  EXPECT_EQ(last_dst, ip("255.255.255.255"));
  EXPECT_TRUE(has(decline, option(50, address_bytes(kOffered)) + option(54, address_bytes(kServer)) + hex("ff")));
  EXPECT_FALSE(has_address());
  EXPECT_TRUE(told.empty()) << "it was never in use";
  run(9s);
  EXPECT_TRUE(asked().empty()) << "ten seconds: RFC 2131, 3.1, 5";
  run(3s);
  EXPECT_EQ(type_of(asked_one()), DhcpType::discover);
  EXPECT_EQ(client->read().declines, 1U);
}

TEST_F(DhcpHost, releases_its_lease) {
  become_bound();
  client->release();
  const Frame release = asked_one();
  EXPECT_EQ(type_of(release), DhcpType::release);
  EXPECT_EQ(last_dst, kServer);
  EXPECT_EQ(cut(release, 12, 4), address_bytes(kOffered));
  EXPECT_TRUE(has(release, option(54, address_bytes(kServer)) + hex("ff")));
  EXPECT_FALSE(has_address());
  EXPECT_EQ(told, Told{"over"});
  run(1h);
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(error_of(client->start()), 0) << "and may begin again";
}

TEST_F(DhcpHost, asks_for_the_address_it_had) {
  ASSERT_EQ(error_of(client->start(kOffered)), 0);
  run(1s);
  const Frame request = asked_one();
  EXPECT_EQ(client->state(), DhcpState::rebooting);
  EXPECT_EQ(type_of(request), DhcpType::request);
  EXPECT_TRUE(has(request, option(50, address_bytes(kOffered))));
  EXPECT_FALSE(has(request, option(54, address_bytes(kServer))));
  answer(request, {.type = DhcpType::nak});
  EXPECT_EQ(client->state(), DhcpState::init);
  run(3s);
  EXPECT_EQ(type_of(asked_one()), DhcpType::discover);
  client->release();
  ASSERT_EQ(error_of(client->start(kOffered)), 0);
  run(1s);
  answer(asked_one(), {.type = DhcpType::ack});
  run(10s);
  EXPECT_EQ(client->state(), DhcpState::bound);
}

TEST_F(DhcpHost, asks_whether_its_lease_holds_when_the_link_comes_back_and_keeps_it_when_nobody_answers) {
  become_bound();
  for (const bool answered : {true, false}) {
    ports[0]->wire.carrier(net::LinkState::down);
    ports[0]->wire.carrier(net::LinkState::up);
    run(1s);
    const Frame request = asked_one();
    EXPECT_EQ(client->state(), DhcpState::rebooting);
    EXPECT_TRUE(has_address());
    if (answered) answer(request, {.type = DhcpType::ack});
    run(20s);
    EXPECT_EQ(client->state(), DhcpState::bound);
    (void)asked();
  }
  ports[0]->wire.carrier(net::LinkState::up);
  ports[0]->wire.carrier(net::LinkState::down);
  ports[0]->wire.carrier(net::LinkState::up);
  run(1s);
  answer(asked_one(), {.type = DhcpType::nak});
  EXPECT_FALSE(has_address()) << "another network";
}

TEST_F(DhcpHost, does_not_listen_to_servers_that_are_hostile_or_not_asked) {
  ASSERT_EQ(error_of(client->start()), 0);
  run(1s);
  const Frame discover = asked_one();
  const std::vector<ServerSays> wrong = {
      {.type = DhcpType::ack},  // nothing was asked for yet
      {.type = DhcpType::nak},
      {.transaction_off_by = 1},
      {.client = kPeerMac},
      {.lease_s = 0},
      {.lease_s = 9},
      {.server = ip("0.0.0.0")},
      {.server = ip("255.255.255.255")},
      {.yours = ip("0.0.0.0")},
      {.yours = ip("255.255.255.255")},
      {.yours = ip("127.0.0.1")},
      {.yours = ip("224.0.0.1")},
      {.yours = ip("192.0.2.255")},
      {.yours = ip("192.0.2.0")},
      {.options = option(1, hex("ff"))},
      {.options = counting(1200)},
  };
  for (const ServerSays& says : wrong) answer(discover, says);
  answer(discover, {}, ip("255.255.255.255"), 6767);
  EXPECT_EQ(client->state(), DhcpState::selecting);
  EXPECT_EQ(client->read().ignored, wrong.size() + 1);
  EXPECT_TRUE(asked().empty());

  answer(discover, {});
  const Frame request = asked_one();
  for (const ServerSays& says : std::vector<ServerSays>{{},  // another offer
                                                        {.type = DhcpType::ack, .server = ip("192.0.2.9")},
                                                        {.type = DhcpType::nak, .server = ip("192.0.2.9")},
                                                        {.type = DhcpType::ack, .yours = ip("192.0.2.78")},
                                                        {.type = DhcpType::ack, .lease_s = 0}}) {
    answer(request, says);
    EXPECT_EQ(client->state(), DhcpState::requesting);
  }
  EXPECT_FALSE(has_address());
}

TEST_F(DhcpHost, is_not_made_to_flood_the_link_by_a_server_that_always_refuses) {
  ASSERT_EQ(error_of(client->start()), 0);
  std::size_t messages = 0;
  for (int second = 0; second < 600; ++second) {
    run(1s);
    for (const Frame& message : asked()) {
      ++messages;
      answer(message, {.type = type_of(message) == DhcpType::discover ? DhcpType::offer : DhcpType::nak});
    }
  }
  EXPECT_LT(messages, 40U);
}

TEST_F(DhcpHost, takes_a_listener_that_releases_and_an_interface_that_goes) {
  then = [&] { client->release(); };
  ASSERT_EQ(error_of(client->start()), 0);
  run(1s);
  answer(asked_one(), {});
  answer(asked_one(), {.type = DhcpType::ack});
  run(10s);
  EXPECT_EQ(told, (Told{"192.0.2.77/24", "over"}));
  EXPECT_EQ(client->state(), DhcpState::stopped);
  (void)asked();

  then = {};
  become_bound();
  ports.clear();
  EXPECT_EQ(client->state(), DhcpState::stopped);
  EXPECT_EQ(told, Told{"over"});
  run(1h);
}

TEST_F(DhcpHost, starts_over_when_its_user_removes_the_address) {
  become_bound();
  ASSERT_TRUE(inet->remove_address(ifp(), kOffered));
  EXPECT_EQ(told, Told{"over"});
  run(3s);
  EXPECT_EQ(type_of(asked_one()), DhcpType::discover);
  ASSERT_EQ(error_of(inet->detach(ifp())), 0);
  run(1h);
  EXPECT_TRUE(sent().empty()) << "and nothing leaves another way";
}

}  // namespace
}  // namespace vif::test
