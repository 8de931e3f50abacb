// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/packetdrill/addresses.hpp"

#include <netinet/in.h>

#include <algorithm>

namespace vif::host::packetdrill {

using net::inet::IpAddress;
using net::lwip::Endpoint;

Answer read_address(const sockaddr* from, socklen_t bytes, int family, Endpoint& into) {
  if (from == nullptr) return -EFAULT;
  if (bytes < sizeof(sockaddr_in)) return -EINVAL;
  // Copied first: nobody has to align what comes from outside.
  sockaddr_in v4;
  std::memcpy(&v4, from, sizeof v4);
  if (v4.sin_family != family) return -EAFNOSUPPORT;
  if (family == AF_INET) {
    into = {IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
    return 0;
  }
  sockaddr_in6 v6;
  if (bytes < sizeof v6) return -EINVAL;
  std::memcpy(&v6, from, sizeof v6);
  into = {IpAddress::load6(reinterpret_cast<const std::byte*>(&v6.sin6_addr)), ntohs(v6.sin6_port)};
  return 0;
}

Answer write_address(const Endpoint& endpoint, int family, sockaddr* into, socklen_t* bytes) {
  if (into == nullptr) return 0;
  if (bytes == nullptr) return -EFAULT;
  sockaddr_storage whole{};
  socklen_t length = sizeof(sockaddr_in);
  if (family == AF_INET) {
    sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(endpoint.port), .sin_addr = {}, .sin_zero = {}};
    if (endpoint.address.is_v4()) v4.sin_addr.s_addr = htonl(endpoint.address.v4_number());
    std::memcpy(&whole, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    endpoint.address.store6(reinterpret_cast<std::byte*>(&v6.sin6_addr));
    std::memcpy(&whole, &v6, sizeof v6);
    length = sizeof v6;
  }
  std::memcpy(into, &whole, std::min(*bytes, length));
  *bytes = length;
  return 0;
}

}  // namespace vif::host::packetdrill
