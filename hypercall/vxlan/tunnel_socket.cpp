// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/vxlan/tunnel_socket.hpp"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

constexpr int kBufferBytes = 4 << 20;  // a stalled domain's worth: 60 trains of 64 KiB

}  // namespace

Result<TunnelSocket> TunnelSocket::open(const UdpAddress& local) {
  UniqueFd fd(::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
  if (!fd) return host_error("vxlan: cannot make a UDP socket");
  TunnelSocket opened(std::move(fd));
  if (Status ok = opened.prepare(local.family()); !ok) return std::move(ok).error();
  opened.gro_ = opened.set(SOL_UDP, UDP_GRO, 1);
  opened.segment_ = opened.set(SOL_UDP, UDP_SEGMENT, 0);  // each train names its size; this only asks
  opened.set(SOL_SOCKET, SO_RXQ_OVFL, 1);
  opened.enlarge_buffers();
  if (Status ok = opened.bind_to(local); !ok) return std::move(ok).error();
  return opened;
}

// Before bind(), from when on datagrams may arrive.
Status TunnelSocket::prepare(sa_family_t family) {
  const bool v6 = family == AF_INET6;
  shut();
  if (v6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, 1)) return host_error("vxlan: cannot keep the socket to IPv6");
  const bool whole =
      v6 ? set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO) : set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  if (!whole) return host_error("vxlan: cannot forbid fragmentation");
  const bool told = v6 ? set(IPPROTO_IPV6, IPV6_RECVERR, 1) : set(IPPROTO_IP, IP_RECVERR, 1);
  if (!told) return host_error("vxlan: cannot ask for ICMP's reports");
  return {};
}

Status TunnelSocket::bind_to(const UdpAddress& local) {
  if (::bind(socket_.get(), local.get(), local.bytes()) == 0) return {};
  const std::string name = local.to_string();
  switch (errno) {
    case EADDRINUSE:
      return host_error("vxlan: " + name +
                        " is taken, by a vxlan device of this host or another link: a port has one owner; give this "
                        "tunnel another address or port with local=");
    case EADDRNOTAVAIL:
      return host_error("vxlan: " + name + " is not an address of this host: give local= one that is");
    case EACCES:
      return host_error("vxlan: port " + std::to_string(local.port()) +
                        " needs CAP_NET_BIND_SERVICE: take one from 1024 on, or work in a namespace of your own "
                        "(unshare -Ur -n)");
    default:
      return host_error("vxlan: cannot bind " + name);
  }
}

bool TunnelSocket::set(int level, int name, int value) {
  return ::setsockopt(socket_.get(), level, name, &value, sizeof value) == 0;
}

// Past the host's limits where we may; else as far as they go.
void TunnelSocket::enlarge_buffers() {
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, kBufferBytes)) set(SOL_SOCKET, SO_RCVBUF, kBufferBytes);
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, kBufferBytes)) set(SOL_SOCKET, SO_SNDBUF, kBufferBytes);
}

std::uint32_t TunnelSocket::receive_buffer_bytes() const {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  return static_cast<std::uint32_t>(bytes);
}

Status TunnelSocket::let_in() {
  if (!set(SOL_SOCKET, SO_DETACH_FILTER, 0) && errno != ENOENT) return host_error("vxlan: cannot open the socket");
  return {};
}

void TunnelSocket::shut() {
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog filter{1, &nothing};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

std::optional<std::uint32_t> TunnelSocket::discarded() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t bytes = sizeof info;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &bytes) != 0) return std::nullopt;
  return info[SK_MEMINFO_DROPS];
}

TunnelSocket::Reports TunnelSocket::read_reports(std::size_t reports_max) {
  Reports reports;
  for (std::size_t i = 0; i < reports_max; ++i) {
    if (!read_report(reports)) return reports;
  }
  reports.more = true;
  return reports;
}

// False: there is none.
bool TunnelSocket::read_report(Reports& reports) {
  alignas(cmsghdr) std::array<std::byte, 512> control;
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    const bool report = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                        (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
    sock_extended_err error;
    if (!report || at->cmsg_len < CMSG_LEN(sizeof error)) continue;
    std::memcpy(&error, CMSG_DATA(at), sizeof error);
    reports.too_big |= error.ee_errno == EMSGSIZE;
    // What the kernel itself refused, send() was told.
    reports.unreachable += error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
  }
  return true;
}

}  // namespace vif::host
