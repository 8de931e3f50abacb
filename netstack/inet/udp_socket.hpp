// SPDX-License-Identifier: BSD-2-Clause
// A UDP socket (RFC 768; RFC 1122, 4.1): bound to a port, it keeps what arrives until it is asked for.
//
// Opened by Inet::open_udp and owned by the caller; the Inet outlives it. It may be closed at any time, also from
// inside its own readable function. Domain's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "netstack/base/api.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
class Ifnet;
}

namespace vif::net::inet {

struct Stack;

// Where to listen.
struct UdpBind {
  IpAddress address = {};  // 0.0.0.0: any of IPv4; ::, any of both families
  std::uint16_t port = 0;  // 0: a free one, not to be foreseen (RFC 6056)
  Ifnet* only = nullptr;   // nothing from other interfaces, and everything through this one
};

// Where to send.
struct UdpTo {
  IpAddress address;
  std::uint16_t port = 0;
  Ifnet* via = nullptr;   // for groups and link-local addresses; null: as bound, or by the routes
  std::uint8_t hops = 0;  // 0: what is usual: 1 to a group (RFC 1112, 6.1), else 64 or what a router said
  bool whole = false;     // never cut on the way: EMSGSIZE above the path's MTU
};

struct UdpDatagram {
  IpAddress from;
  std::uint16_t from_port = 0;
  IpAddress to;  // ours, a group or a broadcast
  Ifnet* in = nullptr;
  std::uint8_t hops = 0;
  MbufPtr payload;
};

class VIF_API UdpSocket {
 public:
  static constexpr std::size_t kReceivedMax = 256;  // datagrams that wait; more are dropped and counted

  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  const IpAddress& address() const { return bound_.address; }
  std::uint16_t port() const { return bound_.port; }

  // Errors: EINVAL (port 0), ENETUNREACH (no way there, or no address to send from), EAFNOSUPPORT (bound to the other
  // family), ENXIO (the interface it has to go through is not attached), EADDRNOTAVAIL (bound to an address that is
  // gone), EMSGSIZE (more than a packet, or a `whole` one than the path, carries), ENOBUFS, and what the interface
  // says. A datagram that waits for its neighbour counts as sent.
  Status send_to(Bytes payload, const UdpTo& to);
  Status send_to(MbufPtr payload, const UdpTo& to);

  // The oldest datagram that waits.
  std::optional<UdpDatagram> receive();
  // Called for each datagram that came, and for each error heard, from inside an upcall.
  void on_readable(std::function<void()> readable) { readable_ = std::move(readable); }

  // What a router or host said last of a datagram sent from here, once: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE ...
  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  friend class Udp;

  // Where it sent to lately: an error about anything else is not believed.
  struct Sent {
    IpAddress address;
    std::uint16_t port = 0;
    friend bool operator==(const Sent&, const Sent&) = default;
  };
  static constexpr std::size_t kSentMax = 32;

  UdpSocket(Stack& stack, const UdpBind& bound) : stack_(stack), bound_(bound) {}

  static std::size_t place_of(const Sent& sent);

  Stack& stack_;
  UdpBind bound_;
  std::array<Sent, kSentMax> sent_;  // each at its place_of; the later one of two stays
  std::deque<UdpDatagram> received_;
  std::optional<Error> error_;
  std::function<void()> readable_;
};

}  // namespace vif::net::inet
