// SPDX-License-Identifier: BSD-2-Clause
// What is read of a server's options, and what is refused.
#include "tests/netstack/inet/dhcp_host.hpp"

namespace vif::test {
namespace {

using net::inet::DhcpReply;
using net::inet::DhcpRoute;

std::optional<DhcpReply> parse(const Frame& options, const ServerSays& says = {}) {
  ServerSays with = says;
  with.options = options;
  return DhcpReply::parse(dhcp_reply(7, with));
}

TEST(DhcpReply, reads_what_a_server_says) {
  const auto reply = parse(option(1, hex("fffffc00")) + option(3, hex("c00002fe c00002fd")) +
                           option(6, hex("08080808 00000000 01010101")) + option(26, hex("0578")) + hex("0000") +
                           option(58, be32(100)) + option(59, be32(200)) + option(43, counting(200)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->transaction, 7U);
  EXPECT_EQ(reply->client, kOurMac);
  EXPECT_EQ(reply->address, kOffered);
  EXPECT_EQ(reply->prefix_bits, 22);
  EXPECT_EQ(reply->server, kServer);
  EXPECT_EQ(reply->lease_s, 3600U);
  EXPECT_EQ(reply->renew_s, 100U);
  EXPECT_EQ(reply->rebind_s, 200U);
  EXPECT_EQ(reply->mtu_bytes, 1400);
  EXPECT_EQ(reply->dns, (std::vector<IpAddress>{ip("8.8.8.8"), ip("1.1.1.1")}));
  EXPECT_EQ(reply->routes, (std::vector<DhcpRoute>{{prefix("0.0.0.0/0"), kServer}}));
}

TEST(DhcpReply, takes_classless_routes_instead_of_routers_and_joins_what_was_split) {
  // RFC 3442's own examples, the second route in two pieces (RFC 3396).
  const auto reply = parse(option(3, hex("c00002fd")) + option(121, hex("00 c00002fe 18 0a1b")) +
                           option(121, hex("81 c00002fd 13 0a1bff c00002fc 20 0a1b0101 00000000")));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->routes, (std::vector<DhcpRoute>{{prefix("0.0.0.0/0"), kServer},
                                                   {prefix("10.27.129.0/24"), ip("192.0.2.253")},
                                                   {prefix("10.27.224.0/19"), ip("192.0.2.252")},
                                                   {prefix("10.27.1.1/32"), ip("0.0.0.0")}}));
}

TEST(DhcpReply, goes_on_in_the_name_and_file_fields_when_told_to) {
  Frame message = dhcp_reply(7, {.options = option(52, hex("03"))});
  const Frame in_file = option(1, hex("ffff0000")) + hex("ff"), in_name = option(26, hex("05dc"));
  std::copy(in_file.begin(), in_file.end(), message.begin() + 108);
  std::copy(in_name.begin(), in_name.end(), message.begin() + 44);
  const auto reply = DhcpReply::parse(message);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->prefix_bits, 16);
  EXPECT_EQ(reply->mtu_bytes, 1500);
}

TEST(DhcpReply, falls_back_to_the_mask_of_the_class) {
  EXPECT_EQ(parse({}, {.yours = ip("10.1.2.3")})->prefix_bits, 8);
  EXPECT_EQ(parse({}, {.yours = ip("172.16.0.1")})->prefix_bits, 16);
  EXPECT_EQ(parse({})->prefix_bits, 24);
}

TEST(DhcpReply, refuses_lengths_that_are_not_right) {
  for (const Frame& options : {hex("01"),
                               hex("01 04 ff"),
                               option(1, hex("ffffff")),
                               option(1, hex("ff00ff00")),
                               option(1, hex("00000000")),
                               option(3, {}),
                               option(3, hex("c00002")),
                               option(6, hex("0808080801")),
                               option(26, hex("05")),
                               option(51, hex("ffff")),
                               option(52, hex("00")),
                               option(52, hex("04")),
                               option(52, hex("0101")),
                               option(53, hex("02")),
                               option(54, hex("01")),
                               option(58, hex("00")),
                               option(59, {}),
                               option(121, {}),
                               option(121, hex("21 0a000000 c00002fe")),
                               option(121, hex("18 0a1b81 c00002"))}) {
    Frame message = dhcp_reply(7, {.options = options});
    message.pop_back();  // its end
    EXPECT_FALSE(DhcpReply::parse(message)) << testing::PrintToString(options);
  }
  EXPECT_TRUE(parse({}));
  EXPECT_FALSE(parse({}, {.type = DhcpType::discover}));
  const Frame whole = dhcp_reply(7, {});
  for (std::size_t bytes = 0; bytes < 240 + 3; ++bytes) EXPECT_FALSE(DhcpReply::parse(cut(whole, 0, bytes))) << bytes;
  for (const std::size_t at : {0U, 1U, 2U, 236U, 239U}) {
    Frame wrong = whole;
    wrong[at] ^= std::byte{4};
    EXPECT_FALSE(DhcpReply::parse(wrong)) << at;
  }
}

TEST(DhcpReply, keeps_no_more_routes_and_servers_than_its_limits) {
  Frame options;
  for (int i = 0; i < 40; ++i) options = options + option(121, hex("08 0a c00002fe 08 0b c00002fe"));
  for (int i = 0; i < 20; ++i) options = options + option(6, hex("08080808"));
  const auto reply = parse(options);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->routes.size(), DhcpReply::kRoutesMax);
  EXPECT_EQ(reply->dns.size(), DhcpReply::kServersMax);
}

}  // namespace
}  // namespace vif::test
