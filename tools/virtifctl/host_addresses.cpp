// SPDX-License-Identifier: BSD-2-Clause
#include "tools/virtifctl/host_addresses.hpp"

#include <linux/ipv6.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "hypercall/host_error.hpp"
#include "hypercall/unique_fd.hpp"

namespace vif::tools {
namespace {

using host::host_error;
using host::UniqueFd;
using net::inet::IpAddress;
using net::inet::IpPrefix;

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

sockaddr socket_address(const IpAddress& address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  address.store4(reinterpret_cast<std::byte*>(&in.sin_addr));
  sockaddr any;
  static_assert(sizeof any == sizeof in);
  std::memcpy(&any, &in, sizeof any);
  return any;
}

in6_addr address6(const IpAddress& address) {
  in6_addr in6;
  address.store6(reinterpret_cast<std::byte*>(&in6));
  return in6;
}

Status bring_up(int socket, const std::string& name) {
  ifreq request = request_for(name);
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return host_error("cannot look at " + name);
  request.ifr_flags |= IFF_UP;
  return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0 ? Status() : host_error("cannot bring " + name + " up");
}

Status add_address4(int socket, const std::string& name, const IpPrefix& prefix) {
  ifreq request = request_for(name);
  request.ifr_addr = socket_address(prefix.address);
  if (::ioctl(socket, SIOCSIFADDR, &request) != 0) return host_error("cannot give " + name + " " + prefix.to_string());
  const std::uint32_t mask = prefix.bits == 0 ? 0 : UINT32_MAX << (32 - prefix.bits);
  request.ifr_netmask = socket_address(IpAddress::v4(mask));
  if (::ioctl(socket, SIOCSIFNETMASK, &request) == 0) return {};
  return host_error("cannot give " + name + " " + prefix.to_string());
}

Status add_address6(int socket6, const std::string& name, const IpPrefix& prefix) {
  in6_ifreq request{};
  request.ifr6_addr = address6(prefix.address);
  request.ifr6_prefixlen = prefix.bits;
  request.ifr6_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  if (::ioctl(socket6, SIOCSIFADDR, &request) == 0) return {};
  return host_error("cannot give " + name + " " + prefix.to_string());
}

Status add_gateway4(int socket, const IpAddress& gateway) {
  rtentry route{};
  route.rt_dst = socket_address(net::inet::kAny4);
  route.rt_genmask = socket_address(net::inet::kAny4);
  route.rt_gateway = socket_address(gateway);
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  return ::ioctl(socket, SIOCADDRT, &route) == 0 ? Status() : host_error("no route by " + gateway.to_string());
}

Status add_gateway6(int socket6, const std::string& name, const IpAddress& gateway) {
  in6_rtmsg route{};
  route.rtmsg_gateway = address6(gateway);
  route.rtmsg_metric = 1024;  // what ip(8) gives
  route.rtmsg_flags = RTF_UP | RTF_GATEWAY;
  route.rtmsg_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  return ::ioctl(socket6, SIOCADDRT, &route) == 0 ? Status() : host_error("no route by " + gateway.to_string());
}

}  // namespace

Status configure_host(const std::string& name, const std::vector<IpPrefix>& addresses,
                      const std::vector<IpAddress>& gateways) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd socket6(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));  // none: its ioctls say so
  if (!socket) return host_error("cannot make a socket");
  for (const std::string& each : {std::string("lo"), name}) {
    if (Status up = bring_up(socket.get(), each); !up) return up;
  }
  int aliases = 0;  // one for each IPv4 address but the first: these calls know no other way to more than one
  for (const IpPrefix& prefix : addresses) {
    const bool is_v4 = prefix.address.is_v4();
    const std::string alias = is_v4 && aliases > 0 ? name + ':' + std::to_string(aliases) : name;
    Status done = is_v4 ? add_address4(socket.get(), alias, prefix) : add_address6(socket6.get(), name, prefix);
    if (!done) return done;
    if (is_v4) ++aliases;
  }
  for (const IpAddress& gateway : gateways) {
    Status done = gateway.is_v4() ? add_gateway4(socket.get(), gateway) : add_gateway6(socket6.get(), name, gateway);
    if (!done) return done;
  }
  return {};
}

}  // namespace vif::tools
