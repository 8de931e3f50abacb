// SPDX-License-Identifier: BSD-2-Clause
// An IPv4 or IPv6 address with a UDP port, as text and as the kernel takes it. A value, any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <string>
#include <string_view>

#include "netstack/base/result.hpp"

namespace vif::host {

class UdpAddress {
 public:
  UdpAddress() : address_{} {}

  // "10.0.0.2", "10.0.0.2:4790", "fd00::2", "[fd00::2]:4790", "fe80::2%eth0"; `port` where the text names none. Names
  // are not looked up. EINVAL: none of these; ENODEV: no such interface.
  static Result<UdpAddress> parse(std::string_view text, std::uint16_t port);
  // Every address of this host.
  static UdpAddress any(sa_family_t family, std::uint16_t port);

  sa_family_t family() const { return address_.any.sa_family; }
  bool is_v6() const { return family() == AF_INET6; }
  bool is_group() const;
  bool is_any() const;
  std::uint16_t port() const { return ntohs(is_v6() ? address_.v6.sin6_port : address_.v4.sin_port); }
  UdpAddress with_port(std::uint16_t port) const;
  std::string to_string() const;  // as parse() reads it, always with the port

  const sockaddr* get() const { return &address_.any; }
  socklen_t bytes() const { return is_v6() ? sizeof address_.v6 : sizeof address_.v4; }
  // For the kernel to write one.
  sockaddr* space() { return &address_.any; }
  static constexpr socklen_t kSpaceBytes = sizeof(sockaddr_in6);

  // By host (family, address, interface), then by port.
  std::strong_ordering compare_host(const UdpAddress& other) const;
  friend std::strong_ordering operator<=>(const UdpAddress& a, const UdpAddress& b) {
    const std::strong_ordering host = a.compare_host(b);
    return host != 0 ? host : a.port() <=> b.port();
  }
  friend bool operator==(const UdpAddress& a, const UdpAddress& b) { return (a <=> b) == 0; }

 private:
  union {
    sockaddr_in6 v6;  // the largest, first: {} clears all
    sockaddr_in v4;
    sockaddr any;
  } address_;
};

}  // namespace vif::host
