// SPDX-License-Identifier: BSD-2-Clause
// Echo requests of our own, and who waits for the replies: what ping(8) needs. Domain's thread.
#pragma once

#include <vector>

#include "netstack/base/api.hpp"
#include "netstack/inet/packet.hpp"

namespace vif::net {
class Ifnet;
}

namespace vif::net::inet {

struct Stack;

struct EchoReply {
  IpAddress from, to;
  std::uint16_t id, sequence;
  std::uint8_t hops;
  const Mbuf& payload;  // borrowed for the call
};

class EchoListener {
 public:
  virtual ~EchoListener() = default;
  virtual void echo_replied(const EchoReply& reply) = 0;
};

struct EchoRequest {
  IpAddress to;
  std::uint16_t id = 0, sequence = 0;
  Bytes payload = {};
  std::uint8_t hops = 0;  // 0: what is usual there
  Ifnet* via = nullptr;   // for link-local destinations and groups
  bool whole = false;     // never cut on the way
};

class Echo {
 public:
  explicit Echo(Stack& stack) : stack_(stack) {}

  // Errors: ENETUNREACH (no way there), EMSGSIZE, ENOBUFS, and what the interface says.
  Status request(const EchoRequest& wanted);
  // A reply, ICMP or ICMPv6, whose checksum is right and which has all of its header.
  void reply(Packet packet);

  std::vector<EchoListener*> listeners;

 private:
  Stack& stack_;
};

}  // namespace vif::net::inet
