// SPDX-License-Identifier: BSD-2-Clause
#include "hypercall/uring/packet_receiver.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>

namespace vif::host {

Result<IncomingSocket> open_incoming(const ReceivePlan& plan) {
  Result<PacketSocket> socket = PacketSocket::open();
  if (!socket) return std::move(socket).error();
  if (Status deaf = socket->set(PACKET_IGNORE_OUTGOING, 1, "leave out the frames that go out"); !deaf) {
    return std::move(deaf).error();
  }
  const bool vnet = socket->set(PACKET_VNET_HDR, 1, "have offload beside frames").has_value();
  // What waits in the socket instead of a ring; the host may allow less.
  const int bytes = static_cast<int>(plan.ring_bytes);
  if (::setsockopt(socket->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    ::setsockopt(socket->fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  return IncomingSocket{std::move(*socket), vnet};
}

Result<std::unique_ptr<PacketReceiver>> open_receiver(const ReceivePlan& plan) {
  Result<std::unique_ptr<PacketReceiver>> ring = plan.low_latency ? open_slot_ring(plan) : open_block_ring(plan);
  if (ring || ring.error().number() == EPERM) return ring;
  Result<std::unique_ptr<PacketReceiver>> multishot = open_multishot(plan);
  if (multishot) return multishot;
  return open_recvmmsg(plan);
}

}  // namespace vif::host
