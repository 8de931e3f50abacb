// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/udp_address.hpp"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace vif::host {
namespace {

Error refuse(std::string_view text) {
  return fail(std::errc::invalid_argument,
              "'" + std::string(text) +
                  "' is no address: expected numbers, as in 10.0.0.2, 10.0.0.2:4789, fd00::2 or %5Bfd00::2%5D:4789");
}

// "host" and "port" of the text; the port is empty where there is none.
struct Parts {
  std::string_view host, port;
  bool has_port = false;
};

Parts split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return {text.substr(1, end - 1), {}};
    if (rest[0] != ':') return {text, {}};
    return {text.substr(1, end - 1), rest.substr(1), true};
  }
  // More than one colon: an IPv6 address, which has no port outside brackets.
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

std::strong_ordering compare_bytes(const void* a, const void* b, std::size_t bytes) {
  return std::memcmp(a, b, bytes) <=> 0;
}

}  // namespace

Result<UdpAddress> UdpAddress::parse(std::string_view text, std::uint16_t port) {
  Parts parts = split(text);
  if (parts.has_port) {
    const char* const end = parts.port.data() + parts.port.size();
    const auto read = std::from_chars(parts.port.data(), end, port);
    if (read.ec != std::errc{} || read.ptr != end || port == 0) return refuse(text);
  }
  const std::size_t percent = parts.host.find('%');
  const std::string host(parts.host.substr(0, percent));
  UdpAddress parsed = any(AF_INET, port);
  if (percent == std::string_view::npos && ::inet_pton(AF_INET, host.c_str(), &parsed.address_.v4.sin_addr) == 1) {
    return parsed;
  }
  parsed = any(AF_INET6, port);
  if (::inet_pton(AF_INET6, host.c_str(), &parsed.address_.v6.sin6_addr) != 1) return refuse(text);
  if (percent == std::string_view::npos) return parsed;
  const std::string interface(parts.host.substr(percent + 1));
  parsed.address_.v6.sin6_scope_id = ::if_nametoindex(interface.c_str());
  if (parsed.address_.v6.sin6_scope_id == 0) return fail(ENODEV, "no network interface '" + interface + "'");
  return parsed;
}

UdpAddress UdpAddress::any(sa_family_t family, std::uint16_t port) {
  UdpAddress made;
  made.address_.any.sa_family = family;
  return made.with_port(port);
}

UdpAddress UdpAddress::with_port(std::uint16_t port) const {
  UdpAddress changed = *this;
  if (is_v6()) changed.address_.v6.sin6_port = htons(port);
  else changed.address_.v4.sin_port = htons(port);
  return changed;
}

bool UdpAddress::is_group() const {
  if (is_v6()) return IN6_IS_ADDR_MULTICAST(&address_.v6.sin6_addr);
  const std::uint32_t v4 = ntohl(address_.v4.sin_addr.s_addr);
  return IN_MULTICAST(v4) || v4 == INADDR_BROADCAST;
}

bool UdpAddress::is_any() const {
  if (is_v6()) return IN6_IS_ADDR_UNSPECIFIED(&address_.v6.sin6_addr);
  return address_.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

std::string UdpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  const void* const from = is_v6() ? static_cast<const void*>(&address_.v6.sin6_addr) : &address_.v4.sin_addr;
  ::inet_ntop(family(), from, host.data(), host.size());
  std::string text = host.data();
  std::array<char, IF_NAMESIZE> interface {};
  if (is_v6() && address_.v6.sin6_scope_id != 0 &&
      ::if_indextoname(address_.v6.sin6_scope_id, interface.data()) != nullptr) {
    text += std::string("%") + interface.data();
  }
  return (is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port());
}

std::strong_ordering UdpAddress::compare_host(const UdpAddress& other) const {
  if (family() != other.family()) return family() <=> other.family();
  if (!is_v6()) return address_.v4.sin_addr.s_addr <=> other.address_.v4.sin_addr.s_addr;
  const auto address = compare_bytes(&address_.v6.sin6_addr, &other.address_.v6.sin6_addr, sizeof(in6_addr));
  return address != 0 ? address : address_.v6.sin6_scope_id <=> other.address_.v6.sin6_scope_id;
}

}  // namespace vif::host
