// SPDX-License-Identifier: BSD-2-Clause
// Frames in, in the best way this kernel has. The domain's thread; a receiver is made deaf, hears from listen() until
// it is destroyed, and stands on a packet socket of its own.
#pragma once

#include <memory>
#include <string>

#include "hypercall/uring/packet_socket.hpp"
#include "virtif/link.hpp"

namespace vif::host {

struct ReceivePlan {
  std::uint32_t mtu_bytes = 0;
  bool low_latency = false;
  std::size_t ring_bytes = 0;
};

class PacketReceiver {
 public:
  // What one drain came to: frames delivered, frames that came here and were lost, and whether there may be more.
  struct Drained {
    std::size_t delivered = 0;
    std::uint64_t lost = 0;
    bool more = false;
  };

  virtual ~PacketReceiver() = default;
  PacketReceiver(const PacketReceiver&) = delete;
  PacketReceiver& operator=(const PacketReceiver&) = delete;

  // Delivers at most `budget` frames. An error is for good.
  virtual Result<Drained> drain(std::size_t budget, drv::LinkSink& sink) = 0;
  // For people: "TPACKET_V3 ring, 64 blocks of 256 KiB".
  virtual std::string words() const = 0;
  // Whether frames come with their offload.
  bool offloads() const { return vnet_; }

  // Readable, on the edge, when drain has something to do.
  PacketSocket& socket() { return socket_; }

 protected:
  PacketReceiver(PacketSocket socket, bool vnet) : socket_(std::move(socket)), vnet_(vnet) {}

  PacketSocket socket_;
  const bool vnet_;  // frames come with their offload
};

// The first that works of those below. Errors: packet_socket.hpp's, and the last one's.
Result<std::unique_ptr<PacketReceiver>> open_receiver(const ReceivePlan& plan);

// A ring shared with the kernel, which fills it without a system call of ours: TPACKET_V3, whole blocks at a time, or
// TPACKET_V2, each frame at once, when latency counts.
Result<std::unique_ptr<PacketReceiver>> open_block_ring(const ReceivePlan& plan);
Result<std::unique_ptr<PacketReceiver>> open_slot_ring(const ReceivePlan& plan);
// Without a ring: multishot receives through io_uring (ENOTSUP before Linux 6.1), or recvmmsg.
Result<std::unique_ptr<PacketReceiver>> open_multishot(const ReceivePlan& plan);
Result<std::unique_ptr<PacketReceiver>> open_recvmmsg(const ReceivePlan& plan);

// What all of them begin with: a socket that will hear what comes in, not what goes out, and whether frames come with
// their offload. ENOPROTOOPT: this kernel cannot leave out what goes out (Linux 4.20).
struct IncomingSocket {
  PacketSocket socket;
  bool vnet;
};
Result<IncomingSocket> open_incoming(const ReceivePlan& plan);

}  // namespace vif::host
