// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/path_mtu.hpp"

#include <algorithm>

#include "hypercall/host_error.hpp"
#include "hypercall/vxlan/vxlan_header.hpp"

namespace vif::host {
namespace {

constexpr std::uint32_t kIpv4HeaderBytes = 20;  // RFC 791, 3.1, without options
constexpr std::uint32_t kIpv6HeaderBytes = 40;  // RFC 8200, 3
constexpr std::uint32_t kUdpHeaderBytes = 8;    // RFC 768
constexpr std::uint32_t kLengthMax = 65'535;    // of IPv4's total length, and of what follows IPv6's header

}  // namespace

std::uint32_t frame_bytes_within(std::uint32_t path_mtu_bytes, bool v6) {
  const std::uint32_t ip_bytes = v6 ? kIpv6HeaderBytes : kIpv4HeaderBytes;
  const std::uint32_t packet_bytes = std::min(path_mtu_bytes, v6 ? kIpv6HeaderBytes + kLengthMax : kLengthMax);
  const std::uint32_t overhead = ip_bytes + kUdpHeaderBytes + static_cast<std::uint32_t>(kVxlanHeaderBytes);
  constexpr std::uint32_t kFrameBytesLeast = 64;  // what a link takes in any case
  return std::max(packet_bytes, overhead + kFrameBytesLeast) - overhead;
}

Result<PathMtu> PathMtu::open(const UdpAddress& local) {
  UniqueFd fd(::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
  if (!fd) return host_error("vxlan: cannot make a UDP socket to ask for the path's MTU");
  const UdpAddress from = local.with_port(0);
  if (!local.is_any() && ::bind(fd.get(), from.get(), from.bytes()) != 0) {
    return host_error("vxlan: cannot ask for the path's MTU from " + local.to_string());
  }
  return PathMtu(std::move(fd), local.is_v6());
}

std::uint32_t PathMtu::ask(const Remotes& remotes) const {
  std::uint32_t least = UINT32_MAX;
  constexpr sockaddr kNobody{AF_UNSPEC, {}};  // else the next way would begin at the address of the last
  for (std::size_t i = 0; i < remotes.size(); ++i) {
    ::connect(socket_.get(), &kNobody, sizeof kNobody);
    if (::connect(socket_.get(), remotes[i].get(), remotes[i].bytes()) != 0) continue;
    int mtu_bytes = 0;
    socklen_t size = sizeof mtu_bytes;
    const int level = v6_ ? IPPROTO_IPV6 : IPPROTO_IP;
    const int name = v6_ ? IPV6_MTU : IP_MTU;
    if (::getsockopt(socket_.get(), level, name, &mtu_bytes, &size) != 0 || mtu_bytes <= 0) continue;
    least = std::min(least, static_cast<std::uint32_t>(mtu_bytes));
  }
  return least == UINT32_MAX ? kUnknown : least;
}

}  // namespace vif::host
