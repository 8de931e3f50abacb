// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "hypercall/host_error.hpp"

namespace vif::host {
namespace {

packet_mreq request_of(unsigned ifindex, const Membership& membership) {
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(ifindex);
  switch (membership.of) {
    case Membership::Of::group:
      request.mr_type = PACKET_MR_MULTICAST;
      break;
    case Membership::Of::promisc:
      request.mr_type = PACKET_MR_PROMISC;
      return request;
    case Membership::Of::allmulti:
      request.mr_type = PACKET_MR_ALLMULTI;
      return request;
    case Membership::Of::address:
      request.mr_type = PACKET_MR_UNICAST;
      break;
  }
  request.mr_alen = net::kMacBytes;
  std::copy(membership.lladdr.octets.begin(), membership.lladdr.octets.end(), request.mr_address);
  return request;
}

}  // namespace

Result<PacketSocket> PacketSocket::open() {
  // Protocol 0: nothing is queued before listen().
  UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd) return PacketSocket(std::move(fd));
  if (errno != EPERM) return host_error("cannot make a packet socket");
  return fail(
      EPERM,
      "a packet socket needs the capability CAP_NET_RAW: give it to the program (setcap cap_net_raw+ep), run as "
      "root, or run in a network namespace of your own: unshare -Ur -n");
}

Status PacketSocket::set_bytes(int option, const void* value, std::size_t bytes, const char* what) {
  if (::setsockopt(fd_.get(), SOL_PACKET, option, value, static_cast<socklen_t>(bytes)) == 0) return {};
  return host_error(std::string("cannot ") + what);
}

Status PacketSocket::attach(unsigned ifindex) { return bind_to(ifindex, 0); }
Status PacketSocket::listen(unsigned ifindex) { return bind_to(ifindex, ETH_P_ALL); }

Status PacketSocket::bind_to(unsigned ifindex, std::uint16_t protocol) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = static_cast<int>(ifindex);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  return host_error("cannot bind a packet socket to its interface");
}

bool PacketSocket::join(unsigned ifindex, const Membership& membership) {
  const packet_mreq request = request_of(ifindex, membership);
  return ::setsockopt(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

void PacketSocket::leave(unsigned ifindex, const Membership& membership) {
  const packet_mreq request = request_of(ifindex, membership);
  ::setsockopt(fd_.get(), SOL_PACKET, PACKET_DROP_MEMBERSHIP, &request, sizeof request);
}

PacketSocket::Counts PacketSocket::take_counts() {
  tpacket_stats counts{};
  socklen_t bytes = sizeof counts;
  // The kernel counts on when it cannot say now.
  if (::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &bytes) != 0) return {};
  return {counts.tp_packets - counts.tp_drops, counts.tp_drops};
}

}  // namespace vif::host
