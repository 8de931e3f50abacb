// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a DHCP server's message: what is read of it is within its limits, and the client's own messages are not
// taken for a server's.
#include <algorithm>

#include "netstack/inet/dhcp_message.hpp"

namespace vif::test {
namespace {

using namespace net::inet;

void require(bool is_so) {
  if (!is_so) __builtin_trap();
}

void check(Bytes message) {
  const std::optional<DhcpReply> reply = DhcpReply::parse(message);
  if (!reply) return;
  require(message.size() >= 240 && reply->prefix_bits >= 1 && reply->prefix_bits <= 32);
  require(reply->routes.size() <= DhcpReply::kRoutesMax && reply->dns.size() <= DhcpReply::kServersMax);
  require(reply->address.is_v4() && reply->server.is_v4());
  for (const DhcpRoute& route : reply->routes) {
    require(route.to.bits <= 32 && route.to == route.to.network());
    require(route.gateway.is_unspecified() || route.gateway.is_unicast());
  }
  require(std::all_of(reply->dns.begin(), reply->dns.end(), [](const IpAddress& dns) { return dns.is_unicast(); }));
  const DhcpRequest request{.type = DhcpType::request, .client = reply->client, .requested = reply->address};
  require(!DhcpReply::parse(request.store()));
}

}  // namespace
}  // namespace vif::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFixedBytes = 240;
  const auto bytes = std::as_bytes(std::span(data, size));
  vif::test::check(bytes);
  // As if it were all options, behind a header that is right.
  std::vector<std::byte> message(kFixedBytes);
  message[0] = std::byte{2}, message[1] = std::byte{1}, message[2] = std::byte{6};
  vif::store_be32(&message[236], 0x6382'5363);
  message.insert(message.end(), bytes.begin(), bytes.end());
  vif::test::check(message);
  return 0;
}
