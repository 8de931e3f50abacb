// SPDX-License-Identifier: BSD-2-Clause
// UDP below its sockets: which of them gets a datagram. Domain's thread.
#pragma once

#include <vector>

#include "netstack/inet/udp_socket.hpp"

namespace vif::net::inet {

inline constexpr std::size_t kUdpHeaderBytes = 8;  // RFC 768

class Udp {
 public:
  static constexpr std::size_t kSocketsMax = 4096;
  static constexpr std::uint16_t kEphemeralFirst = 49'152;  // RFC 6335, 6: the dynamic ports, to 65535

  explicit Udp(Stack& stack) : stack_(stack) {}
  ~Udp();

  // EADDRINUSE, EADDRNOTAVAIL (not an address of ours), ENOBUFS (kSocketsMax, or no free port).
  Result<std::unique_ptr<UdpSocket>> open(const UdpBind& wanted);

  void input(Packet packet);
  // Whether an open socket sent that lately.
  bool has_sent(const Quoted& about);
  // Somebody said what became of a packet of ours.
  void hear_error(const Quoted& about, const Error& error);

 private:
  friend class UdpSocket;

  std::vector<UdpSocket*>::iterator first_on(std::uint16_t port);
  bool is_taken(const UdpBind& wanted);
  std::uint16_t free_port(UdpBind wanted);
  UdpSocket* find(const IpAddress& to, std::uint16_t port, const Ifnet* in);
  bool checksum_is_right(const Packet& packet, std::size_t bytes, std::uint16_t checksum) const;
  void deliver(UdpSocket* socket, UdpDatagram datagram);
  void deliver_cut(std::uint16_t port, UdpDatagram datagram, std::size_t segment_bytes);

  Stack& stack_;
  std::vector<UdpSocket*> sockets_;  // ordered by port
};

}  // namespace vif::net::inet
