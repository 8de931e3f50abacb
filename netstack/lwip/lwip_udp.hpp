// SPDX-License-Identifier: BSD-2-Clause
// UDP over lwIP, with a callback. Domain's thread; the callback may send, and destroy the socket.
#pragma once

#include <memory>

#include "netstack/lwip/lwip_tcp.hpp"

struct udp_pcb;

namespace vif::net::lwip {

class UdpSocket;

class UdpEvents {
 public:
  virtual ~UdpEvents() = default;
  // A datagram, borrowed for the call.
  virtual void udp_received(UdpSocket& socket, const Endpoint& from, Bytes datagram) = 0;
};

class VIF_API UdpSocket {
 public:
  static constexpr std::size_t kDatagramBytesMax = 65'507;  // RFC 768 in RFC 791: 65535 - 8 - 20

  // Any address: :: takes IPv6 and IPv4, 0.0.0.0 IPv4. Port 0: lwIP chooses one. EADDRINUSE, ENOBUFS. `events` outlives
  // the socket, which must be gone before the stack.
  static Result<std::unique_ptr<UdpSocket>> open(LwipStack& stack, const Endpoint& at, UdpEvents& events);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  // EMSGSIZE: above kDatagramBytesMax. EHOSTUNREACH: no interface leads there. ENOBUFS.
  Status send_to(const Endpoint& to, Bytes datagram);

  std::uint16_t port() const;

 private:
  struct Callbacks;
  UdpSocket(LwipStack& stack, udp_pcb* pcb, UdpEvents& events) : stack_(stack), pcb_(pcb), events_(events) {}

  LwipStack& stack_;
  udp_pcb* pcb_;
  UdpEvents& events_;
};

}  // namespace vif::net::lwip
